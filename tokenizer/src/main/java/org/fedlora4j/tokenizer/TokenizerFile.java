package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.fedlora4j.common.BadInputException;

/**
 * A checked {@code tokenizer.json}.
 *
 * @param source the file it comes from, for messages
 * @param json the text for the native library: without truncation, padding or template, and with special tokens that
 *     no text can contain (see {@link #hide})
 * @param ids the id of every token, special ones included
 * @param special those of them that are special
 * @param opening the special token that the template puts before every text, if it does
 */
record TokenizerFile(
        Path source, String json, Map<String, Integer> ids, Map<String, Integer> special, Optional<String> opening) {
    /** Far above any vocabulary, and small enough to index by. */
    private static final int MAX_ID = (1 << 24) - 1;

    /** @param root is changed */
    static TokenizerFile of(Path source, ObjectNode root) {
        JsonNode model = root.path("model");
        // Files older than the field are all BPE where the model is a LLaMA.
        String type = model.path("type").asText("BPE");
        if (!type.equals("BPE")) {
            throw new BadInputException(source + ": model.type is " + JsonFile.quote(type) + ", wanted BPE");
        }
        if (!(model.path("vocab") instanceof ObjectNode vocabulary)) {
            throw new BadInputException(source + ": model.vocab is missing or no object, wanted token ids by token");
        }
        Map<String, Integer> ids = new HashMap<>();
        vocabulary.properties().forEach(token -> ids.put(token.getKey(), id(source, "model.vocab", token.getValue())));

        JsonNode unknown = model.path("unk_token");
        if (unknown.isTextual() && !vocabulary.has(unknown.textValue())) {
            throw new BadInputException(
                    source + ": model.unk_token is " + unknown + ", wanted a token of model.vocab, or null");
        }

        Map<String, Integer> added = new HashMap<>();
        Map<String, Integer> special = new HashMap<>();
        for (JsonNode token : root.path("added_tokens")) {
            if (!token.path("content").isTextual()) {
                throw new BadInputException(
                        source + ": added_tokens has an entry without content, wanted id and content");
            }
            String content = token.get("content").textValue();
            int id = id(source, "added_tokens", token.path("id"));
            added.put(content, id);
            if (token.path("special").asBoolean()) {
                special.put(content, id);
            }
        }
        ids.putAll(added);
        hide(special, root, (ObjectNode) model, vocabulary);
        Components.check(source, root);
        Optional<String> opening = opening(root.path("post_processor"));
        root.putNull("truncation");
        root.putNull("padding");
        // The library ends the process where a template names a token that it doesn't define.
        root.putNull("post_processor");
        return new TokenizerFile(source, root.toString(), ids, special, opening);
    }

    /** The first part of the template, which may stand in a sequence of processors, if it is a special token. */
    private static Optional<String> opening(JsonNode processor) {
        return Stream.concat(
                        Stream.of(processor),
                        StreamSupport.stream(processor.path("processors").spliterator(), false))
                .filter(part -> part.path("type").asText().equals("TemplateProcessing"))
                .map(template -> template.at("/single/0/SpecialToken/id"))
                .filter(JsonNode::isTextual)
                .map(JsonNode::textValue)
                .findFirst();
    }

    /**
     * Keeps the native library from finding special tokens in texts, where they would let a record end its sequence or
     * forge a turn of a chat; DJL doesn't pass on the switch of the Rust library ({@code encode_special_tokens}). They
     * get names that nobody can guess, and no merge makes them any more (a single character stays: texts need it). What
     * the vocabulary holds leaves the list of added tokens; the others must stay there, for the library numbers them by
     * their place.
     */
    private static void hide(Map<String, Integer> special, ObjectNode root, ObjectNode model, ObjectNode vocabulary) {
        String secret = UUID.randomUUID().toString();
        Set<String> hidden = special.keySet().stream()
                .filter(token -> vocabulary.has(token) && token.codePointCount(0, token.length()) > 1)
                .collect(Collectors.toSet());
        for (Iterator<JsonNode> tokens = root.path("added_tokens").elements(); tokens.hasNext(); ) {
            ObjectNode token = (ObjectNode) tokens.next();
            String content = token.get("content").textValue();
            if (special.containsKey(content) && vocabulary.has(content)) {
                tokens.remove();
            } else if (special.containsKey(content)) {
                token.put("content", secret + content);
            }
        }
        for (String token : hidden) {
            vocabulary.set(secret + token, vocabulary.remove(token));
        }
        String unknown = model.path("unk_token").asText();
        if (hidden.contains(unknown)) {
            model.put("unk_token", secret + unknown);
        }
        for (Iterator<JsonNode> merges = model.path("merges").elements(); merges.hasNext(); ) {
            if (partsAndWhole(merges.next()).anyMatch(hidden::contains)) {
                merges.remove();
            }
        }
    }

    /** What a merge takes and makes. */
    private static Stream<String> partsAndWhole(JsonNode merge) {
        String[] parts = parts(merge);
        return Stream.of(parts[0], parts[1], parts[0] + parts[1]);
    }

    /** What a merge ({@code "left right"} or {@code ["left", "right"]}) takes. */
    static String[] parts(JsonNode merge) {
        if (merge.isArray()) {
            return new String[] {merge.path(0).asText(), merge.path(1).asText()};
        }
        String text = merge.asText();
        int blank = text.indexOf(' ');
        return new String[] {text.substring(0, Math.max(0, blank)), text.substring(blank + 1)};
    }

    private static int id(Path source, String field, JsonNode value) {
        if (!value.canConvertToInt() || value.intValue() < 0 || value.intValue() > MAX_ID) {
            throw new BadInputException(
                    source + ": " + field + " has a token with id " + value + ", wanted 0 to " + MAX_ID);
        }
        return value.intValue();
    }

    /** One more than the largest id. */
    int vocabularySize() {
        return ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
    }
}
