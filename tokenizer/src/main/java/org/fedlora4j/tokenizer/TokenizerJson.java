package org.fedlora4j.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.IntFunction;
import org.fedlora4j.common.BadInputException;

/** A {@code tokenizer.json} in the making (github.com/huggingface/tokenizers): what all vocabularies have in common. */
final class TokenizerJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final ObjectNode root;

    /** @param skeleton the file with empty added tokens, vocabulary and merges */
    TokenizerJson(String skeleton) {
        root = parse(skeleton);
    }

    /** JSON that this program holds itself. */
    static ObjectNode parse(String json) {
        try {
            return (ObjectNode) MAPPER.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    ObjectNode root() {
        return root;
    }

    ObjectNode model() {
        return (ObjectNode) root.get("model");
    }

    /**
     * Puts in all tokens. Ids are places in the list; special and user-defined ones are listed as added tokens too.
     *
     * @param source the file and field that the tokens come from, for messages
     * @return the ids by token
     */
    Map<String, Integer> addTokens(String source, List<String> tokens, IntFunction<TokenType> types) {
        Map<String, Integer> ids = new HashMap<>();
        ObjectNode vocabulary = model().putObject("vocab");
        ArrayNode added = root.putArray("added_tokens");
        for (int id = 0; id < tokens.size(); id++) {
            String token = tokens.get(id);
            Integer before = ids.putIfAbsent(token, id);
            if (before != null) {
                throw new BadInputException(source + " " + before + " and " + id + " are both " + JsonFile.quote(token)
                        + ", wanted different ones");
            }
            vocabulary.put(token, id);
            TokenType type = types.apply(id);
            if (type.isSpecial() || type == TokenType.USER_DEFINED) {
                added.addObject()
                        .put("id", id)
                        .put("content", token)
                        .put("single_word", false)
                        .put("lstrip", false)
                        .put("rstrip", false)
                        .put("normalized", false)
                        .put("special", type.isSpecial());
            }
        }
        return ids;
    }

    void addMerge(String left, String right) {
        ((ArrayNode) model().get("merges")).addArray().add(left).add(right);
    }

    /** Lets every text start with bos. */
    void openWith(OptionalInt bos, List<String> tokens) {
        bos.ifPresent(id -> {
            ObjectNode template = parse("""
                    {"type": "TemplateProcessing",
                     "single": [{"SpecialToken": {"id": "bos", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                     "pair": [{"SpecialToken": {"id": "bos", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                              {"SpecialToken": {"id": "bos", "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}]}""");
            String token = tokens.get(id);
            template.findParents("SpecialToken")
                    .forEach(part -> ((ObjectNode) part.get("SpecialToken")).put("id", token));
            ObjectNode special =
                    template.putObject("special_tokens").putObject(token).put("id", token);
            special.putArray("ids").add(id);
            special.putArray("tokens").add(token);
            root.set("post_processor", template);
        });
    }
}
