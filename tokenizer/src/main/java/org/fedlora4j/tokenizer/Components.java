package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;

/**
 * Which normalizers, pre-tokenizers and decoders of a {@code tokenizer.json} reach the native library. It panics on some
 * files, which ends the whole process, so it gets only the components that the LLaMA family uses, and their kin.
 */
final class Components {
    private static final Map<String, Set<String>> TYPES = Map.of(
            "normalizer", Set.of("Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Prepend", "Replace", "Strip"),
            "pre_tokenizer", Set.of("ByteLevel", "Digits", "Metaspace", "Punctuation", "Split", "Whitespace"),
            "decoder", Set.of("ByteFallback", "ByteLevel", "Fuse", "Metaspace", "Replace", "Strip"));

    private Components() {}

    /** Throws a {@link BadInputException} where a file has any other. */
    static void check(Path source, ObjectNode root) {
        TYPES.forEach((field, types) -> {
            JsonNode component = root.path(field);
            if (!component.isMissingNode() && !component.isNull()) {
                check(source + ": " + field, types, component);
            }
        });
    }

    private static void check(String where, Set<String> types, JsonNode component) {
        String type = component.path("type").asText();
        if (type.equals("Sequence")) {
            for (JsonNode parts : component) {
                parts.forEach(part -> check(where, types, part));
            }
        } else if (!types.contains(type)) {
            throw new BadInputException(where + " has the type " + JsonFile.quote(type) + ", wanted one of "
                    + String.join(", ", new TreeSet<>(types)));
        }
        // The library's decoder reads before the start of texts shorter than that.
        if (component.path("stop").asInt() != 0) {
            throw new BadInputException(where + " has a Strip with stop " + component.get("stop") + ", wanted 0");
        }
    }
}
