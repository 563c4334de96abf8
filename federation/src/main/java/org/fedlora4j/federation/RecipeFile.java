package org.fedlora4j.federation;

import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.optimizer.ServerSettings;
import org.fedlora4j.lora.LearningRateSchedule;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.Part;

/**
 * Recipes as YAML: those that come with fedlora4j, by name, and anybody's, by path. Unknown keys are errors, and all
 * problems of a file are reported at once.
 */
public final class RecipeFile {
    /** The recipes that come with fedlora4j. */
    public static final List<String> BUILT_IN = List.of(
            "fedlora-optimizer",
            "fedlora-magnitude-last",
            "fedlora-two-phase",
            "fedlora-joint",
            "fedlora-global-only",
            "fedlora-local-only",
            "fedavg-lora",
            "fedavg-then-local",
            "fedavg-then-magnitude",
            "fedprox-lora",
            "flexlora",
            "ffa-lora",
            "fedsa-lora",
            "local",
            "centralized");

    private static final YAMLMapper YAML = YAMLMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private RecipeFile() {}

    /** The built-in recipe of this name, or the recipe in this file. */
    public static Recipe load(String nameOrPath) throws IOException {
        if (BUILT_IN.contains(nameOrPath)) {
            String resource = "/recipes/" + nameOrPath + ".yaml";
            try (InputStream in = RecipeFile.class.getResourceAsStream(resource)) {
                if (in == null) {
                    throw new IllegalStateException(resource + " is not on the class path");
                }
                return parse(in.readAllBytes(), resource);
            }
        }
        Path path = Path.of(nameOrPath);
        if (!Files.isRegularFile(path)) {
            throw new BadInputException("recipe: '" + nameOrPath + "' is neither a file nor one of " + BUILT_IN);
        }
        return parse(Files.readAllBytes(path), nameOrPath);
    }

    /**
     * A recipe from a parsed document, as {@link #toTree} makes it.
     *
     * @param source for messages: the file or field that it is from
     */
    public static Recipe fromTree(JsonNode tree, String source) {
        return Fields.read(tree, source, RecipeFile::recipe);
    }

    /** The recipe with every default written out. */
    public static ObjectNode toTree(Recipe recipe) {
        ObjectNode tree = YAML.createObjectNode();
        tree.put("name", recipe.name());
        tree.put("pooled", recipe.pooled());
        tree.put("magnitude-axis", Fields.hyphenated(recipe.magnitudeAxis()));
        tree.put("magnitude-step", Fields.hyphenated(recipe.magnitudeStep()));
        ArrayNode phases = tree.putArray("private-factor-in");
        recipe.privateFactorIn().forEach(phases::add);
        if (recipe.warmUpRounds() > 0) {
            ObjectNode warmUp = tree.putObject("warm-up");
            warmUp.put("rounds", recipe.warmUpRounds());
            write(recipe.warmUp(), warmUp.putArray("phases"));
        }
        write(recipe.round(), tree.putArray("round"));
        if (!recipe.finish().isEmpty()) {
            write(recipe.finish(), tree.putArray("finish"));
        }
        return tree;
    }

    private static void write(List<Phase> phases, ArrayNode list) {
        phases.forEach(phase -> write(phase, list.addObject()));
    }

    private static Recipe parse(byte[] yaml, String source) throws IOException {
        JsonNode tree;
        try {
            tree = YAML.readTree(yaml);
        } catch (IOException e) {
            throw new BadInputException(
                    source + ": not YAML: "
                            + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
                    e);
        }
        return fromTree(tree, source);
    }

    /** A recipe from the fields of a document, as {@link #toTree} makes it. */
    static Optional<Recipe> recipe(Fields fields) {
        String name = fields.text("name");
        boolean pooled = fields.flag("pooled", false);
        MagnitudeAxis axis = fields.constant("magnitude-axis", MagnitudeAxis.ROW, MagnitudeAxis.values());
        MagnitudeStep step = fields.constant("magnitude-step", MagnitudeStep.MULTIPLICATIVE, MagnitudeStep.values());
        int warmUpRounds = 0;
        List<Phase> warmUp = List.of();
        if (fields.has("warm-up")) {
            Fields warmUpFields = fields.child("warm-up");
            warmUpRounds = warmUpFields.integer("rounds");
            warmUp = phases(warmUpFields.children("phases"));
            warmUpFields.build(() -> true);
        }
        List<Phase> round = phases(fields.children("round"));
        List<Phase> finish = fields.has("finish") ? phases(fields.children("finish")) : List.of();
        Set<String> privateFactorIn = fields.has("private-factor-in")
                ? fields.set("private-factor-in", phase -> phase)
                : keepingMagnitudes(List.of(warmUp, round, finish));
        int rounds = warmUpRounds;
        List<Phase> first = warmUp;
        return fields.build(() -> new Recipe(name, rounds, first, round, finish, pooled, axis, step, privateFactorIn));
    }

    /** The default of private-factor-in: where a client trains a magnitude for itself, it goes on from its own. */
    private static Set<String> keepingMagnitudes(List<List<Phase>> phases) {
        return phases.stream()
                .flatMap(List::stream)
                .filter(phase -> phase.keep().stream().anyMatch(Part::isMagnitude))
                .map(Phase::name)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<Phase> phases(List<Fields> list) {
        List<Phase> phases = new ArrayList<>();
        list.forEach(fields -> phase(fields).ifPresent(phases::add));
        return phases;
    }

    private static Optional<Phase> phase(Fields fields) {
        String name = fields.text("name");
        Set<Part> train = fields.set("train", Part::named);
        Set<Part> share = fields.set("share", Part::named);
        int steps = fields.integer("steps");
        double learningRate = fields.number("learning-rate");
        LearningRateSchedule schedule =
                fields.constant("schedule", LearningRateSchedule.CONSTANT, LearningRateSchedule.values());
        double weightDecay = fields.number("weight-decay", 0);
        double proximal = fields.number("proximal", 0);
        Aggregation otherwise = share.stream().anyMatch(Part::isDirection) ? Aggregation.SPHERE_MEAN : Aggregation.MEAN;
        Aggregation aggregation = fields.constant("aggregator", otherwise, Aggregation.values());
        ServerSettings server = fields.has("server") ? server(fields.child("server")) : ServerSettings.AGGREGATE;
        return fields.build(() -> new Phase(
                name, train, share, steps, learningRate, schedule, weightDecay, proximal, aggregation, server));
    }

    private enum ServerKind {
        NONE,
        MOMENTUM,
        ADAM
    }

    private static ServerSettings server(Fields fields) {
        ServerKind kind = fields.constant("optimizer", ServerKind.NONE, ServerKind.values());
        double step = fields.number("step", 1);
        Optional<ServerSettings> settings = switch (kind) {
            case NONE -> fields.build(() -> new ServerSettings.Step(step));
            case MOMENTUM -> {
                double momentum = fields.number("momentum", 0.9);
                yield fields.build(() -> new ServerSettings.Momentum(step, momentum));
            }
            case ADAM -> {
                double beta1 = fields.number("beta1", 0.9);
                double beta2 = fields.number("beta2", 0.99);
                double epsilon = fields.number("epsilon", 1e-3);
                yield fields.build(() -> new ServerSettings.Adam(step, beta1, beta2, epsilon));
            }
        };
        return settings.orElse(ServerSettings.AGGREGATE);
    }

    private static void write(Phase phase, ObjectNode node) {
        node.put("name", phase.name());
        ArrayNode train = node.putArray("train");
        phase.train().forEach(part -> train.add(part.toString()));
        ArrayNode share = node.putArray("share");
        phase.share().forEach(part -> share.add(part.toString()));
        node.put("steps", phase.steps());
        node.put("learning-rate", phase.learningRate());
        node.put("schedule", Fields.hyphenated(phase.schedule()));
        node.put("weight-decay", phase.weightDecay());
        node.put("proximal", phase.proximal());
        if (!phase.share().isEmpty()) {
            node.put("aggregator", Fields.hyphenated(phase.aggregation()));
            write(phase.server(), node.putObject("server"));
        }
    }

    private static void write(ServerSettings server, ObjectNode node) {
        if (server instanceof ServerSettings.Step plain) {
            node.put("optimizer", "none").put("step", plain.step());
        } else if (server instanceof ServerSettings.Momentum momentum) {
            node.put("optimizer", "momentum").put("step", momentum.step()).put("momentum", momentum.momentum());
        } else if (server instanceof ServerSettings.Adam adam) {
            node.put("optimizer", "adam").put("step", adam.step());
            node.put("beta1", adam.beta1()).put("beta2", adam.beta2()).put("epsilon", adam.epsilon());
        }
    }
}
