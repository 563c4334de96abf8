package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.UUID;
import org.fedlora4j.common.BadInputException;

/**
 * A checked {@code tokenizer.json}.
 *
 * @param json the file for the native library: without truncation or padding, and with special tokens that no text can
 *     contain (see {@link #hide})
 * @param ids the id of every token, special ones included
 * @param special those of them that are special
 */
record TokenizerFile(String json, Map<String, Integer> ids, Map<String, Integer> special) {
    /** Far above any vocabulary, and small enough to index by. */
    private static final int MAX_ID = (1 << 24) - 1;

    static TokenizerFile read(Path file) throws IOException {
        ObjectNode root = JsonFile.read(file);
        JsonNode model = root.path("model");
        // Files older than the field are all BPE where the model is a LLaMA.
        String type = model.path("type").asText("BPE");
        if (!type.equals("BPE")) {
            throw new BadInputException(file + ": model.type is " + type + ", wanted BPE");
        }
        if (!model.path("vocab").isObject()) {
            throw new BadInputException(file + ": model.vocab is missing or no object, wanted token ids by token");
        }
        Map<String, Integer> ids = new HashMap<>();
        model.get("vocab")
                .properties()
                .forEach(token -> ids.put(token.getKey(), id(file, "model.vocab", token.getValue())));

        Map<String, Integer> added = new HashMap<>();
        Map<String, Integer> special = new HashMap<>();
        String secret = UUID.randomUUID().toString();
        for (Iterator<JsonNode> tokens = root.path("added_tokens").elements(); tokens.hasNext(); ) {
            if (!(tokens.next() instanceof ObjectNode token)
                    || !token.path("content").isTextual()) {
                throw new BadInputException(
                        file + ": added_tokens has an entry without content, wanted id and content");
            }
            String content = token.get("content").textValue();
            int id = id(file, "added_tokens", token.path("id"));
            added.put(content, id);
            if (token.path("special").asBoolean()) {
                special.put(content, id);
                hide(token, tokens, ids.containsKey(content), secret);
            }
        }
        ids.putAll(added);
        root.putNull("truncation");
        root.putNull("padding");
        return new TokenizerFile(root.toString(), ids, special);
    }

    /**
     * Keeps the native library from finding this special token in texts, where it would let a record end its sequence
     * or forge a turn of a chat; DJL doesn't pass on the switch of the Rust library ({@code encode_special_tokens}).
     * What the vocabulary holds anyway leaves the list of added tokens; the others must stay, for the library numbers
     * them by their place, and get a name that nobody can guess.
     */
    private static void hide(ObjectNode token, Iterator<JsonNode> tokens, boolean inVocabulary, String secret) {
        if (inVocabulary) {
            tokens.remove();
        } else {
            token.put("content", secret + token.get("content").textValue());
        }
    }

    private static int id(Path file, String field, JsonNode value) {
        if (!value.canConvertToInt() || value.intValue() < 0 || value.intValue() > MAX_ID) {
            throw new BadInputException(
                    file + ": " + field + " has a token with id " + value + ", wanted 0 to " + MAX_ID);
        }
        return value.intValue();
    }

    /** One more than the largest id. */
    int vocabularySize() {
        return ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
    }
}
