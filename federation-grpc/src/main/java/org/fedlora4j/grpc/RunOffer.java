package org.fedlora4j.grpc;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.Fields;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.lora.LoraConfig;

/**
 * What the server tells a client that joins: what is trained and how. Which token pads a batch is the client's own
 * tokenizer's affair.
 *
 * @param id of the run, the same when the server is started again
 * @param template the name of the prompts' template
 * @param maxTokens where examples are cut off
 */
public record RunOffer(String id, Federation.Settings settings, String template, int maxTokens) {
    private static final ObjectMapper JSON = new ObjectMapper();

    public RunOffer {
        if (!id.matches("[0-9a-f]{8,64}")) {
            throw new BadInputException("the run's id: '" + id + "', wanted 8 to 64 hexadecimal digits");
        }
        if (maxTokens < 2) {
            throw new BadInputException("max-tokens: " + maxTokens + ", wanted at least 2");
        }
        settings.recipe().requireFederated();
    }

    /** The settings with the token that pads this client's batches. */
    public Federation.Settings settings(int padId) {
        return new Federation.Settings(
                settings.lora(),
                settings.recipe(),
                settings.rounds(),
                settings.batchSize(),
                settings.batchWindow(),
                padId,
                settings.seed(),
                settings.participation());
    }

    String toJson() {
        ObjectNode tree = JSON.createObjectNode();
        LoraConfig lora = settings.lora();
        ObjectNode loraTree = tree.putObject("lora");
        loraTree.put("rank", lora.rank()).put("alpha", lora.alpha());
        ArrayNode targets = loraTree.putArray("targets");
        lora.targets().forEach(targets::add);
        loraTree.put("dropout", lora.dropout()).put("rs-lora", lora.rsLora());
        ObjectNode ranks = loraTree.putObject("rank-pattern");
        lora.rankPattern().forEach(ranks::put);
        ObjectNode alphas = loraTree.putObject("alpha-pattern");
        lora.alphaPattern().forEach(alphas::put);
        tree.set("recipe", RecipeFile.toTree(settings.recipe()));
        return tree.put("rounds", settings.rounds())
                .put("batch-size", settings.batchSize())
                .put("batch-window", settings.batchWindow())
                .put("seed", String.valueOf(settings.seed()))
                .put("participation", settings.participation())
                .put("template", template)
                .put("max-tokens", maxTokens)
                .toString();
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @throws BadInputException if a server sent anything else
     */
    static RunOffer fromJson(String id, String json) {
        JsonNode tree;
        try {
            tree = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new BadInputException("the server's settings: no JSON: " + e.getOriginalMessage(), e);
        }
        List<String> problems = new ArrayList<>();
        Fields fields = new Fields(tree, "", problems);
        Optional<LoraConfig> lora = lora(fields.child("lora"));
        fields.has("recipe");
        Recipe recipe = RecipeFile.fromTree(tree.path("recipe"), "the server's recipe");
        int rounds = fields.integer("rounds");
        int batchSize = fields.integer("batch-size");
        int batchWindow = fields.integer("batch-window");
        String seed = fields.text("seed");
        double participation = fields.number("participation");
        String template = fields.text("template");
        int maxTokens = fields.integer("max-tokens");
        return fields.build(() -> new RunOffer(
                        id,
                        new Federation.Settings(
                                lora.orElseThrow(),
                                recipe,
                                rounds,
                                batchSize,
                                batchWindow,
                                0,
                                seed(seed),
                                participation),
                        template,
                        maxTokens))
                .orElseThrow(() -> new BadInputException("the server's settings: " + String.join("; ", problems)));
    }

    /** Reads {@code lora} of a settings file, with the defaults of experiments. */
    static Optional<LoraConfig> lora(Fields fields) {
        int rank = fields.integer("rank", 8);
        double alpha = fields.number("alpha", 16);
        Set<String> targets = fields.has("targets")
                ? fields.set("targets", Function.identity())
                : new LinkedHashSet<>(List.of("q_proj", "v_proj"));
        double dropout = fields.number("dropout", 0);
        boolean rsLora = fields.flag("rs-lora", false);
        Map<String, Integer> ranks = patterns(fields.childOrEmpty("rank-pattern"), Fields::integer);
        Map<String, Double> alphas = patterns(fields.childOrEmpty("alpha-pattern"), Fields::number);
        return fields.build(() -> new LoraConfig(rank, alpha, targets, dropout, rsLora, ranks, alphas));
    }

    private interface Reader<T> {
        T read(Fields fields, String key);
    }

    private static <T> Map<String, T> patterns(Fields fields, Reader<T> reader) {
        Map<String, T> patterns = new LinkedHashMap<>();
        fields.keys().forEach(key -> patterns.put(key, reader.read(fields, key)));
        return patterns;
    }

    private static long seed(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new BadInputException("seed: '" + text + "', wanted a whole number", e);
        }
    }
}
