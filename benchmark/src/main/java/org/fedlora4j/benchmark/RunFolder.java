package org.fedlora4j.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.exec.Precision;

/**
 * The folder of one run:
 *
 * <pre>
 *   experiment.yaml       the experiment with every default and the recipe written out
 *   metrics.jsonl         how training went, a line for every phase and every round
 *   state/                what a resumed run goes on from, and in run.json the precision that it computes in
 *   adapters/global       the shared adapter, in PEFT's format
 *   adapters/client-ID    each client's own
 *   adapters/unseen-ID    of each client that took no part in training
 *   result.json           environment, scores, drift and bytes; a run that has it is complete
 * </pre>
 *
 * @param path the folder, which exists
 */
record RunFolder(Path path) {
    static final String EXPERIMENT = "experiment.yaml";
    static final String ADAPTERS = "adapters";
    private static final String PRECISION = "precision";

    /**
     * Refuses an output folder in which the run can't begin or go on.
     *
     * @param precision that it would go on in
     */
    static void check(Experiment experiment, ExistingRun existing, Precision.Choice precision) throws IOException {
        Path path = experiment.output();
        boolean run = holdsRun(path);
        if (!run && Files.exists(path) && !isEmptyFolder(path)) {
            throw new BadInputException(path + ": exists and holds no run, wanted another output");
        }
        if (run && existing == ExistingRun.REFUSE) {
            throw new BadInputException(path + ": holds a run, wanted another output, --resume or --force");
        }
        if (run && existing == ExistingRun.RESUME) {
            requireSame(experiment);
            new RunFolder(path).precision().requireSame(precision);
        }
    }

    /** Makes the folder of an experiment or, to resume, opens it. What isn't a run's folder is never deleted. */
    static RunFolder open(Experiment experiment, ExistingRun existing, Precision.Choice precision) throws IOException {
        check(experiment, existing, precision);
        Path path = experiment.output();
        if (!holdsRun(path) || existing == ExistingRun.REPLACE) {
            AtomicFiles.deleteRecursively(path);
            AtomicFiles.writeString(path.resolve(EXPERIMENT), ExperimentFile.toYaml(experiment));
        }
        RunFolder folder = new RunFolder(path);
        folder.precision().keep(precision.precision());
        return folder;
    }

    static boolean holdsRun(Path path) {
        return Files.isRegularFile(path.resolve(EXPERIMENT));
    }

    Path metrics() {
        return path.resolve("metrics.jsonl");
    }

    Path states() {
        return path.resolve("state");
    }

    private RunPrecision precision() {
        return new RunPrecision(states().resolve("run.json"));
    }

    Path result() {
        return path.resolve("result.json");
    }

    /** Writes an adapter in place of one of that name. */
    void writeAdapter(String name, AdapterState adapter, MagnitudeAxis axis, Path model) throws IOException {
        Path folder = path.resolve(ADAPTERS).resolve(name);
        AtomicFiles.deleteRecursively(folder);
        PeftAdapter.write(adapter, axis, folder, model.toString());
    }

    private static boolean isEmptyFolder(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return false;
        }
        try (var files = Files.list(path)) {
            return files.findAny().isEmpty();
        }
    }

    /** What differs, the output folder included, between an experiment and the one that its output folder holds. */
    static List<String> differences(Experiment experiment) throws IOException {
        Path file = experiment.output().resolve(EXPERIMENT);
        // What counts is the precision that the run computes in, which may now have to be named.
        JsonNode before =
                ExperimentFile.toTree(ExperimentFile.load(file, List.of())).without(PRECISION);
        return ExperimentDifferences.of(
                before, ExperimentFile.toTree(experiment).without(PRECISION));
    }

    private static void requireSame(Experiment experiment) throws IOException {
        List<String> differences = differences(experiment);
        if (!differences.isEmpty()) {
            throw new BadInputException(experiment.output().resolve(EXPERIMENT) + ": the run was begun with "
                    + String.join("; ", differences) + "; wanted the same to resume");
        }
    }
}
