package org.fedlora4j.converter;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.model.weights.ElementType;

/** What lies beside the weights in a model's folder. */
final class HuggingFaceFolder {
    static final String CONFIG = "config.json";

    private static final List<String> COMPANIONS = List.of(
            "added_tokens.json",
            "chat_template.jinja",
            "generation_config.json",
            "merges.txt",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer.model",
            "tokenizer_config.json",
            "vocab.json");

    private HuggingFaceFolder() {}

    /** Copies the tokenizer's files and their like, those that are there. */
    static void copyCompanions(Path source, Path target) throws IOException {
        for (String companion : COMPANIONS) {
            Path file = source.resolve(companion);
            if (Files.isRegularFile(file)) {
                // The content alone: a source that is read-only must not make the target so.
                try (OutputStream out = Files.newOutputStream(target.resolve(companion))) {
                    Files.copy(file, out);
                }
            }
        }
    }

    /** What {@code config.json} calls a type of weights. */
    static String dtype(ElementType type) {
        return switch (type) {
            case F32 -> "float32";
            case F16 -> "float16";
            default -> "bfloat16";
        };
    }
}
