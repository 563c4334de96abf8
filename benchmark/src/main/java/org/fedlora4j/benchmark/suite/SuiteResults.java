package org.fedlora4j.benchmark.suite;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.benchmark.Experiment;
import org.fedlora4j.benchmark.ExperimentDifferences;
import org.fedlora4j.benchmark.ExperimentFile;
import org.fedlora4j.benchmark.Result;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;

/**
 * The results of those jobs of a suite that are complete.
 *
 * @param results in the order of the suite's jobs
 * @param missing why jobs that were run have no result here, one line each, by name
 */
public record SuiteResults(Suite suite, List<JobResult> results, Map<String, String> missing) {
    private static final String RESULT = "result.json";

    public SuiteResults {
        results = List.copyOf(results);
    }

    /** Those of the suite's folder. A result of other settings is left out, as if its job weren't run. */
    public static SuiteResults ofRuns(Suite suite) throws IOException {
        List<JobResult> results = new ArrayList<>();
        Map<String, String> missing = new LinkedHashMap<>();
        for (Job job : suite.jobs()) {
            Path file = job.experiment().output().resolve(RESULT);
            Path failure = SuiteRunner.failureFile(job);
            if (Files.exists(file)) {
                Result result = Result.read(file);
                List<String> differences = differences(file, job.experiment(), result);
                if (differences.isEmpty()) {
                    results.add(new JobResult(job, result));
                } else {
                    missing.put(job.name(), "was run with " + String.join("; ", differences));
                }
            } else if (Files.exists(failure)) {
                missing.put(
                        job.name(),
                        "failed: "
                                + Files.readString(failure).lines().findFirst().orElse("no reason"));
            }
        }
        return new SuiteResults(suite, results, missing);
    }

    /**
     * Those that {@link #export} wrote into a folder.
     *
     * @throws BadInputException if it has none, or one is of other settings than the suite's
     */
    public static SuiteResults ofExports(Suite suite, Path folder) throws IOException {
        List<JobResult> results = new ArrayList<>();
        for (Job job : suite.jobs()) {
            Path file = folder.resolve(job.exportedFile());
            if (Files.exists(file)) {
                Result result = Result.read(file);
                List<String> differences = differences(file, job.experiment(), result);
                if (!differences.isEmpty()) {
                    throw new BadInputException(file + ": is of a run with " + String.join("; ", differences)
                            + "; wanted the suite's settings");
                }
                results.add(new JobResult(job, result));
            }
        }
        if (results.isEmpty()) {
            throw new BadInputException("--results " + folder + ": holds no result of the suite, wanted some such as "
                    + suite.jobs().get(0).exportedFile());
        }
        return new SuiteResults(suite, results, Map.of());
    }

    /** What would be compared with what it isn't comparable with. */
    private static List<String> differences(Path file, Experiment experiment, Result result) throws IOException {
        // Read and written anew: settings that a later version added then have their defaults.
        JsonNode before = comparable(ExperimentFile.fromTree(result.config().deepCopy(), file + ": config"));
        return ExperimentDifferences.of(before, comparable(experiment));
    }

    /** An experiment's settings without those that say where things are on one machine, or how they are computed. */
    private static JsonNode comparable(Experiment experiment) {
        ObjectNode tree = ExperimentFile.toTree(experiment);
        tree.remove(List.of("model", "output", "precision", "recompute"));
        ((ObjectNode) tree.path("data")).remove("train");
        return tree;
    }

    /** Copies every result into a folder, under a name of its own. Those of jobs that aren't complete are left alone. */
    public void export(Path folder) throws IOException {
        for (JobResult result : results) {
            Path file = result.job().experiment().output().resolve(RESULT);
            AtomicFiles.writeFile(folder.resolve(result.job().exportedFile()), path -> Files.copy(file, path));
        }
    }

    /** The results of one method, by seed. */
    public SortedMap<Integer, Result> of(Setup setup, String method) {
        SortedMap<Integer, Result> bySeed = new TreeMap<>();
        of(setup).stream()
                .filter(result -> result.job().method().equals(method))
                .forEach(result -> bySeed.put(result.job().seed(), result.result()));
        return bySeed;
    }

    /** The setups that have results. */
    public List<Setup> setups() {
        return suite.setups().stream().filter(setup -> !of(setup).isEmpty()).toList();
    }

    /** The results of all methods. */
    public List<JobResult> of(Setup setup) {
        return results.stream()
                .filter(result -> result.job().setup().equals(setup))
                .toList();
    }

    /** The methods that have results, in the suite's order. */
    public List<String> methods(Setup setup) {
        return suite.methods().stream()
                .map(Method::name)
                .filter(method -> !of(setup, method).isEmpty())
                .toList();
    }

    /** The metrics that all results have. */
    public List<Metric> metrics(Setup setup) {
        return Metric.all().stream()
                .filter(metric -> of(setup).stream().allMatch(result -> metric.isIn(result.result())))
                .toList();
    }

    /** Those of them that a short table has: ROUGE-L and loss. */
    public List<Metric> headlineMetrics(Setup setup) {
        return metrics(setup).stream()
                .filter(metric -> metric.score() == Metric.Score.ROUGE_L || metric.score() == Metric.Score.LOSS)
                .toList();
    }

    /** A method's score with each seed; at least one. */
    public double[] values(Setup setup, String method, Metric metric) {
        return of(setup, method).values().stream().mapToDouble(metric::of).toArray();
    }

    /** The one with the best mean; none where there are no methods. */
    public Optional<String> best(Setup setup, List<String> methods, Metric metric) {
        double sign = metric.score().higherIsBetter() ? 1 : -1;
        return methods.stream()
                .max(Comparator.comparingDouble(method -> sign * Statistics.mean(values(setup, method, metric))));
    }
}
