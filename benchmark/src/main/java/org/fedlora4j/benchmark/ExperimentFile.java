package org.fedlora4j.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.benchmark.data.FieldNames;
import org.fedlora4j.benchmark.data.FieldNames.Part;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Fields;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.data.CategoryPartitioner;
import org.fedlora4j.federation.data.DirichletPartitioner;
import org.fedlora4j.federation.data.IidPartitioner;
import org.fedlora4j.federation.data.Partitioner;
import org.fedlora4j.federation.data.UnseenClients;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.model.Recompute;

/**
 * Experiments as YAML; {@code docs/experiments.md} lists the keys and their defaults. Unknown keys are errors, and the
 * problems of a file are reported together.
 */
public final class ExperimentFile {
    private static final String BY_CATEGORY = "category";

    private ExperimentFile() {}

    /**
     * Reads an experiment.
     *
     * @param overrides {@code key=value} each, keys of inner objects after a dot, values in YAML: {@code
     *     data.max-tokens=128}; they hold instead of what the file says
     * @throws BadInputException if the file or an override isn't as it should be
     */
    public static Experiment load(Path file, List<String> overrides) throws IOException {
        return fromTree(SettingsFile.read(file, "an experiment in YAML", overrides), file.toString());
    }

    /**
     * An experiment from a parsed document.
     *
     * @param source for messages: where the document is from
     * @throws BadInputException if it isn't as it should be
     */
    public static Experiment fromTree(ObjectNode tree, String source) throws IOException {
        List<String> problems = new ArrayList<>();
        return experiment(new Fields(tree, "", problems), tree)
                .orElseThrow(() -> new BadInputException(source + ": " + String.join("; ", problems)));
    }

    /** The experiment with every default and the whole recipe written out. */
    public static ObjectNode toTree(Experiment experiment) {
        ObjectNode tree = JsonNodeFactory.instance.objectNode();
        tree.put("model", experiment.model().toString());
        tree.put("output", experiment.output().toString());
        tree.put("precision", experiment.precision());
        tree.put("recompute", Fields.hyphenated(experiment.recompute()));
        Experiment.Data data = experiment.data();
        ObjectNode dataTree = tree.putObject("data");
        dataTree.put("train", data.source().toString());
        ObjectNode fieldsTree = dataTree.putObject("fields");
        data.fields().named().forEach((part, name) -> fieldsTree.put(Fields.hyphenated(part), name));
        dataTree.put("skip-bad-records", data.skipBadRecords());
        dataTree.set("partition", toTree(data.partitioner()));
        dataTree.put("split", data.split());
        UnseenClients unseen = data.unseenClients();
        if (unseen.ids().isEmpty()) {
            dataTree.put("unseen-clients", unseen.count());
        } else {
            ArrayNode ids = dataTree.putArray("unseen-clients");
            unseen.ids().forEach(ids::add);
        }
        dataTree.put("template", data.template());
        dataTree.put("max-tokens", data.maxTokens());
        dataTree.put("train-per-client", data.trainPerClient());
        dataTree.put("test-per-client", data.testPerClient());
        LoraConfig lora = experiment.lora();
        ObjectNode loraTree = tree.putObject("lora");
        loraTree.put("rank", lora.rank());
        loraTree.put("alpha", lora.alpha());
        ArrayNode targets = loraTree.putArray("targets");
        lora.targets().forEach(targets::add);
        loraTree.put("dropout", lora.dropout());
        loraTree.put("rs-lora", lora.rsLora());
        ObjectNode ranksTree = loraTree.putObject("client-ranks");
        experiment.clientRanks().forEach(ranksTree::put);
        tree.set("recipe", RecipeFile.toTree(experiment.recipe()));
        tree.put("rounds", experiment.rounds());
        tree.put("participation", experiment.participation());
        tree.put("batch-size", experiment.batchSize());
        tree.put("batch-window", experiment.batchWindow());
        tree.put("seed", experiment.seed());
        Experiment.Evaluation evaluation = experiment.evaluation();
        tree.putObject("evaluate")
                .put("rouge", evaluation.rouge())
                .put("max-new-tokens", evaluation.maxNewTokens())
                .put("batch-size", evaluation.batchSize())
                .put("each-round", Fields.hyphenated(evaluation.eachRound()));
        return tree;
    }

    /** {@link #toTree} as YAML, which {@link #load} reads. */
    public static String toYaml(Experiment experiment) throws IOException {
        return SettingsFile.toYaml(toTree(experiment));
    }

    private static Optional<Experiment> experiment(Fields fields, ObjectNode tree) throws IOException {
        Optional<Path> model = fields.path("model");
        Optional<Path> output = fields.path("output");
        PrecisionSetting precision = fields.constant("precision", PrecisionSetting.AUTO, PrecisionSetting.values());
        Recompute recompute = fields.constant("recompute", Recompute.NONE, Recompute.values());
        Optional<Experiment.Data> data = data(fields.child("data"));
        Fields loraFields = fields.childOrEmpty("lora");
        SortedMap<String, Integer> clientRanks = clientRanks(loraFields.childOrEmpty("client-ranks"));
        Optional<LoraConfig> lora = lora(loraFields);
        Recipe recipe = recipe(fields, tree.path("recipe"));
        int rounds = fields.integer("rounds", 6);
        double participation = fields.number("participation", 1);
        int batchSize = fields.integer("batch-size", 2);
        int batchWindow = fields.integer("batch-window", 8);
        int seed = fields.integer("seed", 1);
        Optional<Experiment.Evaluation> evaluation = evaluation(fields.childOrEmpty("evaluate"));
        return fields.build(() -> new Experiment(
                model.orElseThrow(),
                output.orElseThrow(),
                Fields.hyphenated(precision),
                recompute,
                data.orElseThrow(),
                lora.orElseThrow(),
                clientRanks,
                recipe,
                rounds,
                participation,
                batchSize,
                batchWindow,
                seed,
                evaluation.orElseThrow()));
    }

    private static Optional<Experiment.Data> data(Fields fields) {
        Optional<Path> train = fields.path("train");
        Optional<FieldNames> names = fieldNames(fields.childOrEmpty("fields"));
        boolean skipBadRecords = fields.flag("skip-bad-records", false);
        Optional<Partitioner> partitioner = partitioner(fields.child("partition"));
        String split = fields.text("split", Experiment.Data.NO_SPLIT);
        Optional<UnseenClients> unseenClients = unseenClients(fields);
        String template = fields.text("template", "alpaca");
        int maxTokens = fields.integer("max-tokens", 256);
        int trainPerClient = fields.integer("train-per-client", 128);
        int testPerClient = fields.integer("test-per-client", 24);
        return fields.build(() -> new Experiment.Data(
                train.orElseThrow(),
                names.orElseThrow(),
                skipBadRecords,
                partitioner.orElseThrow(),
                split,
                unseenClients.orElseThrow(),
                template,
                maxTokens,
                trainPerClient,
                testPerClient));
    }

    /** Reads {@code data.fields}. */
    public static Optional<FieldNames> fieldNames(Fields fields) {
        Map<Part, String> named = new EnumMap<>(Part.class);
        for (Part part : Part.values()) {
            String key = Fields.hyphenated(part);
            if (fields.has(key)) {
                named.put(part, fields.text(key));
            }
        }
        return fields.build(() -> new FieldNames(named));
    }

    private static Optional<Partitioner> partitioner(Fields fields) {
        if (fields.has("dirichlet")) {
            double alpha = fields.number("dirichlet");
            int clients = fields.integer("clients");
            return fields.build(() -> new DirichletPartitioner(alpha, clients));
        }
        if (fields.has("iid")) {
            int clients = fields.integer("iid");
            return fields.build(() -> new IidPartitioner(clients));
        }
        String by = fields.text("by");
        return fields.build(() -> {
            if (!by.equals(BY_CATEGORY)) {
                throw new BadInputException("by: " + by + ", wanted " + BY_CATEGORY + ", or dirichlet or iid instead");
            }
            return new CategoryPartitioner();
        });
    }

    /** A number of clients, or a list of their ids. */
    private static Optional<UnseenClients> unseenClients(Fields fields) {
        String key = "unseen-clients";
        Set<String> ids = fields.isList(key) ? fields.set(key, id -> id) : Set.of();
        int count = fields.isList(key) ? 0 : fields.integer(key, 0);
        return fields.attempt(() -> new UnseenClients(count, ids));
    }

    private static ObjectNode toTree(Partitioner partitioner) {
        ObjectNode tree = JsonNodeFactory.instance.objectNode();
        if (partitioner instanceof DirichletPartitioner dirichlet) {
            return tree.put("dirichlet", dirichlet.alpha()).put("clients", dirichlet.clients());
        }
        return partitioner instanceof IidPartitioner iid ? tree.put("iid", iid.clients()) : tree.put("by", BY_CATEGORY);
    }

    private static Optional<LoraConfig> lora(Fields fields) {
        int rank = fields.integer("rank", 8);
        double alpha = fields.number("alpha", 16);
        Set<String> targets =
                fields.has("targets") ? fields.set("targets", target -> target) : Set.of("q_proj", "v_proj");
        double dropout = fields.number("dropout", 0);
        boolean rsLora = fields.flag("rs-lora", false);
        return fields.build(() -> new LoraConfig(rank, alpha, targets, dropout, rsLora, Map.of(), Map.of()));
    }

    private static SortedMap<String, Integer> clientRanks(Fields fields) {
        SortedMap<String, Integer> ranks = new TreeMap<>();
        fields.keys().forEach(client -> ranks.put(client, fields.integer(client)));
        return ranks;
    }

    /** A built-in recipe's name, a path, or the recipe itself. */
    private static Recipe recipe(Fields fields, JsonNode value) throws IOException {
        return value.isObject() && fields.has("recipe")
                ? RecipeFile.fromTree(value, "recipe")
                : RecipeFile.load(fields.text("recipe", "fedlora-optimizer"));
    }

    private static Optional<Experiment.Evaluation> evaluation(Fields fields) {
        boolean rouge = fields.flag("rouge", true);
        int maxNewTokens = fields.integer("max-new-tokens", 64);
        int batchSize = fields.integer("batch-size", 16);
        Experiment.EachRound eachRound =
                fields.constant("each-round", Experiment.EachRound.LOSS, Experiment.EachRound.values());
        return fields.build(() -> new Experiment.Evaluation(rouge, maxNewTokens, batchSize, eachRound));
    }

    private enum PrecisionSetting {
        AUTO,
        F32,
        BF16,
        F16
    }
}
