package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;

/**
 * A kind of byte-level BPE, by the name that llama.cpp gives it ({@code tokenizer.ggml.pre}).
 *
 * @param preTokenizer how texts are split before merging, as in the {@code tokenizer.json} of the models of this kind;
 *     {@code default}, which no model has, as in llama.cpp's {@code src/llama-vocab.cpp}
 * @param ignoresMerges whether a word that is a token needs no merges
 * @param addsBos whether texts open with bos unless the file says otherwise
 */
record ByteLevel(JsonNode preTokenizer, boolean ignoresMerges, boolean addsBos) {
    private static final JsonNode KINDS = readKinds();

    /** Other names of the same kind. */
    private static final Map<String, String> ALIASES =
            Map.of("llama3", "llama-bpe", "llama-v3", "llama-bpe", "smollm2", "smollm");

    private static final String SKELETON = """
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
             "normalizer": null,
             "pre_tokenizer": null,
             "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
             "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
             "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
               "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
               "vocab": {}, "merges": []}}""";

    /** @throws BadInputException if there is no such kind here */
    static ByteLevel of(Path file, String pre) {
        JsonNode kind = KINDS.path(ALIASES.getOrDefault(pre, pre));
        if (kind.isMissingNode()) {
            throw new BadInputException(
                    file + ": tokenizer.ggml.pre is " + JsonFile.quote(pre) + ", wanted one of " + names());
        }
        return new ByteLevel(
                kind.get("pre_tokenizer"),
                kind.get("ignore_merges").booleanValue(),
                kind.get("add_bos").booleanValue());
    }

    /** The kind that a {@code tokenizer.json} is of, if it is of one here. */
    static Optional<String> nameOf(ObjectNode root) {
        JsonNode normalizer = root.path("normalizer");
        // An empty sequence is as good as none.
        boolean normalizes =
                normalizer.isObject() && !normalizer.path("normalizers").equals(JsonNodeFactory.instance.arrayNode());
        if (normalizes) {
            return Optional.empty();
        }
        JsonNode preTokenizer = normal(root.path("pre_tokenizer"));
        boolean ignoresMerges = root.path("model").path("ignore_merges").asBoolean();
        return KINDS.propertyStream()
                .filter(kind -> normal(kind.getValue().get("pre_tokenizer")).equals(preTokenizer)
                        && kind.getValue().get("ignore_merges").booleanValue() == ignoresMerges)
                .map(Map.Entry::getKey)
                .findFirst();
    }

    /** Of all kinds. */
    static String names() {
        var names = new TreeSet<>(ALIASES.keySet());
        KINDS.fieldNames().forEachRemaining(names::add);
        return String.join(", ", names);
    }

    /** Without the settings that have no effect on ids, and with the defaults of absent ones. */
    private static JsonNode normal(JsonNode preTokenizer) {
        JsonNode copy = preTokenizer.deepCopy();
        for (JsonNode part : copy.findParents("type")) {
            ObjectNode object = (ObjectNode) part;
            object.remove("trim_offsets");
            if (object.get("type").asText().equals("ByteLevel") && !object.has("use_regex")) {
                object.put("use_regex", true);
            }
        }
        return copy;
    }

    /** The file without tokens and merges. */
    TokenizerJson skeleton() {
        var json = new TokenizerJson(SKELETON);
        json.root().set("pre_tokenizer", preTokenizer.deepCopy());
        json.model().put("ignore_merges", ignoresMerges);
        return json;
    }

    private static JsonNode readKinds() {
        try (InputStream in = Objects.requireNonNull(ByteLevel.class.getResourceAsStream("pre-tokenizers.json"))) {
            return TokenizerJson.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
