package org.fedlora4j.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A tokenizer.json whose tokens are the letters a to e and a blank, ids 0 to 5, and whose special tokens are 6 and 7. */
final class TinyTokenizer {
    static final int BOS = 6;
    static final int EOS = 7;

    private TinyTokenizer() {}

    static void write(Path folder) throws IOException {
        write(folder, "null", "null");
    }

    /** @param truncation and padding: the fields of that name */
    static void write(Path folder, String truncation, String padding) throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), """
                {"version": "1.0", "truncation": %s, "padding": %s,
                 "added_tokens": [%s, %s],
                 "normalizer": null, "pre_tokenizer": null, "decoder": {"type": "Fuse"},
                 "post_processor": {"type": "TemplateProcessing",
                   "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                   "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                   "special_tokens": {"<s>": {"id": "<s>", "ids": [6], "tokens": ["<s>"]}}},
                 "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4, " ": 5}, "merges": []}}
                """.formatted(
                        truncation, padding, special(BOS, "<s>"), special(EOS, "</s>")));
    }

    private static String special(int id, String content) {
        return """
                {"id": %d, "content": "%s", "single_word": false, "lstrip": false, "rstrip": false,
                 "normalized": false, "special": true}""".formatted(id, content);
    }
}
