package org.fedlora4j.federation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.LoraConfig;

/** The settings of a run as JSON, for engines whose clients are in other processes. Nothing is rounded. */
public final class SettingsJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private SettingsJson() {}

    /** An object to which other fields may be added. */
    public static ObjectNode toTree(Federation.Settings settings) {
        ObjectNode tree = JSON.createObjectNode();
        write(settings.lora(), tree.putObject("lora"));
        tree.set("recipe", RecipeFile.toTree(settings.recipe()));
        return tree.put("rounds", settings.rounds())
                .put("batch-size", settings.batchSize())
                .put("batch-window", settings.batchWindow())
                .put("pad-id", settings.padId())
                // As text: not every reader of JSON has whole numbers beyond 2^53.
                .put("seed", String.valueOf(settings.seed()))
                .put("participation", settings.participation());
    }

    /**
     * Reads an object from a text that nobody has checked.
     *
     * @param source for messages: whose text it is
     * @param reader takes all fields of the object
     * @throws BadInputException if it isn't as it should be; all problems at once
     */
    public static <T> T read(String text, String source, Function<Fields, Optional<T>> reader) {
        JsonNode tree;
        try {
            tree = JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new BadInputException(source + ": no JSON: " + e.getOriginalMessage(), e);
        }
        return Fields.read(tree, source, reader);
    }

    /** Settings as {@link #toTree} writes them; of other fields of the object, those that were asked for before are welcome. */
    public static Optional<Federation.Settings> settings(Fields fields) {
        Optional<LoraConfig> lora = lora(fields.child("lora"));
        Optional<Recipe> recipe = RecipeFile.recipe(fields.child("recipe"));
        int rounds = fields.integer("rounds");
        int batchSize = fields.integer("batch-size");
        int batchWindow = fields.integer("batch-window");
        int padId = fields.integer("pad-id");
        String seed = fields.text("seed");
        double participation = fields.number("participation");
        return fields.build(() -> new Federation.Settings(
                lora.orElseThrow(),
                recipe.orElseThrow(),
                rounds,
                batchSize,
                batchWindow,
                padId,
                seed(seed),
                participation));
    }

    /** An adapter's settings; what is missing is as in experiments. */
    public static Optional<LoraConfig> lora(Fields fields) {
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

    private static void write(LoraConfig lora, ObjectNode tree) {
        tree.put("rank", lora.rank()).put("alpha", lora.alpha());
        ArrayNode targets = tree.putArray("targets");
        lora.targets().forEach(targets::add);
        tree.put("dropout", lora.dropout()).put("rs-lora", lora.rsLora());
        ObjectNode ranks = tree.putObject("rank-pattern");
        lora.rankPattern().forEach(ranks::put);
        ObjectNode alphas = tree.putObject("alpha-pattern");
        lora.alphaPattern().forEach(alphas::put);
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
