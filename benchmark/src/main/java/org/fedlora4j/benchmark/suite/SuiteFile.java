package org.fedlora4j.benchmark.suite;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.fedlora4j.benchmark.Experiment;
import org.fedlora4j.benchmark.ExperimentFile;
import org.fedlora4j.benchmark.SettingsFile;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Fields;

/**
 * Suites as YAML; {@code docs/benchmark.md} lists the keys. The settings of jobs are those of experiments, and {@link
 * ExperimentFile} reads them. Unknown keys are errors, and the problems of a file are reported together.
 */
public final class SuiteFile {
    /** What stands for the model or the data of {@code fedlora demo}, in place of a path. */
    private static final String EMBEDDED = "embedded";

    /** What a job has from its place in the suite, or all methods have to have in common. */
    private static final Set<String> NOT_COMMON = Set.of("model", "output", "data", "recipe", "seed");

    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]*";

    /** A method as the file describes it. */
    private record Described(Method method, JsonNode recipe, Map<String, JsonNode> settings) {}

    private final String file;
    private final ObjectNode tree;
    private final List<String> problems = new ArrayList<>();

    private SuiteFile(String file, ObjectNode tree) {
        this.file = file;
        this.tree = tree;
    }

    /**
     * Reads a suite.
     *
     * @param overrides {@code key=value} each, as {@link SettingsFile#read} takes them
     * @throws BadInputException if the file, an override, or the settings of a job aren't as they should be
     */
    public static Suite load(Path file, List<String> overrides) throws IOException {
        return new SuiteFile(file.toString(), SettingsFile.read(file, "a suite in YAML", overrides)).suite();
    }

    private Suite suite() throws IOException {
        Fields fields = new Fields(tree, "", problems);
        String name = fields.text("name");
        Optional<Path> output = fields.path("output");
        Map<String, JsonNode> models = named(fields, "models");
        models.forEach((model, folder) -> require(folder.isTextual(), "models." + model, folder, "a folder"));
        Map<String, JsonNode> datasets = named(fields, "datasets");
        datasets.forEach((dataset, data) ->
                require(data.isObject(), "datasets." + dataset, data, "an object, as data of an experiment"));
        List<Described> methods = methods(fields.list("methods"));
        List<Integer> seeds = seeds(fields.list("seeds"));
        String ours = fields.text(
                "ours", methods.isEmpty() ? "" : methods.get(0).method.name());
        ObjectNode common = fields.has("experiment") && tree.get("experiment") instanceof ObjectNode object
                ? object
                : tree.objectNode();
        NOT_COMMON.stream()
                .filter(common::has)
                .sorted()
                .forEach(key -> problems.add("experiment." + key
                        + ": not common to all jobs; wanted models, datasets, methods and seeds instead"));
        fields.build(() -> true);
        requireNoProblems();

        Path folder = output.orElseThrow();
        List<Job> jobs = new ArrayList<>();
        for (int seed : seeds) {
            for (Map.Entry<String, JsonNode> model : models.entrySet()) {
                for (Map.Entry<String, JsonNode> dataset : datasets.entrySet()) {
                    for (Described method : methods) {
                        Setup setup = new Setup(model.getKey(), dataset.getKey());
                        String job = Job.name(setup, method.method.name(), seed);
                        ObjectNode settings = common.deepCopy();
                        settings.put(
                                "output", Suite.jobsFolder(folder).resolve(job).toString());
                        settings.put("model", modelFolder(model.getValue().textValue(), folder));
                        settings.set("data", data((ObjectNode) dataset.getValue(), folder));
                        settings.set("recipe", method.recipe);
                        settings.put("seed", seed);
                        method.settings.forEach((key, value) -> SettingsFile.set(settings, key, value));
                        jobs.add(new Job(setup, method.method.name(), seed, experiment(job, settings)));
                    }
                }
            }
        }
        boolean embedded = models.containsValue(TextNode.valueOf(EMBEDDED))
                || datasets.values().stream().anyMatch(SuiteFile::isEmbedded);
        List<Method> compared = methods.stream().map(Described::method).toList();
        return fields.build(() -> new Suite(name, folder, compared, ours, seeds, jobs, embedded))
                .orElseThrow(this::problem);
    }

    private Experiment experiment(String job, ObjectNode settings) throws IOException {
        String source = file + ": job " + job;
        try {
            return ExperimentFile.fromTree(settings, source);
        } catch (BadInputException e) {
            String message = String.valueOf(e.getMessage());
            throw message.startsWith(source) ? e : new BadInputException(source + ": " + message, e);
        }
    }

    private static String modelFolder(String value, Path output) {
        return value.equals(EMBEDDED) ? Suite.embeddedInputs(output).model().toString() : value;
    }

    private static ObjectNode data(ObjectNode dataset, Path output) {
        ObjectNode data = dataset.deepCopy();
        return isEmbedded(dataset)
                ? data.put("train", Suite.embeddedInputs(output).records().toString())
                : data;
    }

    private static boolean isEmbedded(JsonNode dataset) {
        return dataset.path("train").asText().equals(EMBEDDED);
    }

    /** An object's fields; their keys are names of folders and files. */
    private Map<String, JsonNode> named(Fields fields, String key) {
        Map<String, JsonNode> named = new LinkedHashMap<>();
        boolean there =
                fields.has(key) && tree.get(key).isObject() && !tree.get(key).isEmpty();
        require(there, key, tree.path(key), "an object with at least one name");
        tree.path(key).properties().forEach(field -> {
            requireName(key, field.getKey());
            named.put(field.getKey(), field.getValue());
        });
        return named;
    }

    private List<Described> methods(List<JsonNode> list) {
        List<Described> methods = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            JsonNode node = list.get(i);
            String key = "methods[" + i + "]";
            if (node.isTextual()) {
                requireName(key, node.textValue());
                methods.add(new Described(new Method(node.textValue(), true), node, Map.of()));
            } else {
                method(new Fields(node, key + ".", problems), key, node).ifPresent(methods::add);
            }
        }
        return methods;
    }

    private Optional<Described> method(Fields fields, String key, JsonNode node) {
        String name = fields.text("name");
        requireName(key + ".name", name);
        JsonNode recipe = fields.has("recipe") ? node.path("recipe") : TextNode.valueOf(name);
        boolean rival = fields.flag("rival", true);
        Map<String, JsonNode> settings = new LinkedHashMap<>();
        if (fields.has("set")) {
            require(node.path("set").isObject(), key + ".set", node.path("set"), "an object of settings");
            node.path("set").properties().forEach(setting -> {
                String top = setting.getKey().split("\\.", -1)[0];
                require(
                        !NOT_COMMON.contains(top),
                        key + ".set." + setting.getKey(),
                        setting.getValue(),
                        "nothing: all methods have it in common");
                settings.put(setting.getKey(), setting.getValue());
            });
        }
        return fields.build(() -> new Described(new Method(name, rival), recipe, settings));
    }

    private List<Integer> seeds(List<JsonNode> list) {
        List<Integer> seeds = new ArrayList<>();
        for (JsonNode seed : list) {
            require(seed.isInt(), "seeds", seed, "whole numbers");
            seeds.add(seed.intValue());
        }
        return seeds;
    }

    private void requireName(String key, String name) {
        require(name.matches(NAME), key, TextNode.valueOf(name), "a name of letters, digits, '.', '_' and '-'");
    }

    private void require(boolean holds, String key, JsonNode found, String wanted) {
        if (!holds) {
            problems.add(key + ": " + (found.isMissingNode() ? "missing" : found) + ", wanted " + wanted);
        }
    }

    private void requireNoProblems() {
        if (!problems.isEmpty()) {
            throw problem();
        }
    }

    private BadInputException problem() {
        return new BadInputException(file + ": " + String.join("; ", problems));
    }
}
