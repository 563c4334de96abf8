package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;

/**
 * The ids with a role, from {@code tokenizer_config.json} (token texts), else {@code config.json} (ids), else the
 * tokenizer's own.
 *
 * @param eos ends a response in training
 * @param ends all that end a generated text, {@code eos} among them: as {@code generation_config.json} says, else
 *     {@code config.json}
 * @param addBos what the setting add_bos_token says, if it is there
 */
record SpecialTokens(OptionalInt bos, int eos, Set<Integer> ends, int pad, Optional<Boolean> addBos) {
    SpecialTokens {
        ends = Set.copyOf(ends);
    }

    /**
     * Reads what the folder's configurations say.
     *
     * @param ids all tokens
     * @param ownRoles the ids of {@code bos}, {@code eos} and {@code pad} that the tokenizer names itself
     */
    static SpecialTokens read(Path modelFolder, Map<String, Integer> ids, Map<String, Integer> ownRoles)
            throws IOException {
        Reader reader = reader(modelFolder, ids, ownRoles);
        OptionalInt bos = reader.id("bos");
        int eos = reader.id("eos")
                .orElseThrow(
                        () -> new BadInputException(
                                modelFolder
                                        + ": neither tokenizer_config.json names an eos_token nor config.json an eos_token_id, wanted one"));
        Set<Integer> ends = reader.ends();
        ends.add(eos);
        return new SpecialTokens(bos, eos, ends, reader.id("pad").orElse(eos), reader.addBos());
    }

    /** The folder's configurations themselves; see {@link #read}. */
    static Reader reader(Path modelFolder, Map<String, Integer> ids, Map<String, Integer> ownRoles) throws IOException {
        return new Reader(
                modelFolder,
                ids,
                ownRoles,
                readIfPresent(modelFolder.resolve("tokenizer_config.json")),
                readIfPresent(modelFolder.resolve("config.json")),
                readIfPresent(modelFolder.resolve("generation_config.json")));
    }

    private static ObjectNode readIfPresent(Path file) throws IOException {
        return Files.exists(file) ? JsonFile.read(file) : JsonNodeFactory.instance.objectNode();
    }

    /** What a folder's configurations say of the tokens with a role. */
    record Reader(
            Path folder,
            Map<String, Integer> ids,
            Map<String, Integer> ownRoles,
            ObjectNode tokenizerConfig,
            ObjectNode config,
            ObjectNode generationConfig) {
        Optional<Boolean> addBos() {
            JsonNode addBos = tokenizerConfig.path("add_bos_token");
            return addBos.isBoolean() ? Optional.of(addBos.booleanValue()) : Optional.empty();
        }

        /** @param role such as {@code bos} */
        OptionalInt id(String role) {
            JsonNode token = tokenizerConfig.path(role + "_token");
            // Either the text or {"content": the text, ...}.
            JsonNode text = token.isObject() ? token.path("content") : token;
            if (text.isTextual()) {
                Integer id = ids.get(text.textValue());
                if (id == null) {
                    throw new BadInputException(folder.resolve("tokenizer_config.json") + ": " + role + "_token is "
                            + text + ", wanted one of the tokenizer's tokens");
                }
                return OptionalInt.of(id);
            }
            JsonNode value = config.path(role + "_token_id");
            // A list where several tokens end a text; the first is the one that models are trained with.
            JsonNode id = value.isArray() ? value.path(0) : value;
            if (id.isMissingNode() || id.isNull()) {
                Integer own = ownRoles.get(role);
                return own == null ? OptionalInt.empty() : OptionalInt.of(own);
            }
            if (!id.canConvertToInt() || !ids.containsValue(id.intValue())) {
                throw new BadInputException(folder.resolve("config.json") + ": " + role + "_token_id is " + id
                        + ", wanted the id of one of the tokenizer's tokens");
            }
            return OptionalInt.of(id.intValue());
        }

        /** The ids that end a generated text, if any are named. The model may know more ids than the tokenizer. */
        private Set<Integer> ends() {
            String field = "eos_token_id";
            boolean own = generationConfig.hasNonNull(field);
            JsonNode value = (own ? generationConfig : config).path(field);
            Set<Integer> ends = new TreeSet<>();
            for (JsonNode id : value.isArray() ? value : List.of(value)) {
                if (id.canConvertToInt()) {
                    ends.add(id.intValue());
                } else if (!id.isMissingNode() && !id.isNull()) {
                    throw new BadInputException(folder.resolve(own ? "generation_config.json" : "config.json") + ": "
                            + field + " is " + value + ", wanted a token's id or several");
                }
            }
            return ends;
        }
    }
}
