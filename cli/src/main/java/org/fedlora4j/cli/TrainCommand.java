package org.fedlora4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.fedlora4j.benchmark.ExistingRun;
import org.fedlora4j.benchmark.Experiment;
import org.fedlora4j.benchmark.ExperimentFile;
import org.fedlora4j.benchmark.ExperimentRunner;
import org.fedlora4j.benchmark.Result;
import org.fedlora4j.benchmark.ResultTable;
import org.fedlora4j.common.Progress;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs an experiment and prints how the base, the global and every client's own model compare. */
@Command(
        name = "train",
        description = {
            "Fine-tune a model across clients, and give each client a model of its own.",
            "docs/experiments.md explains the experiment file and its defaults."
        },
        footer = {"", "Example:", "  ./fedlora train examples/dolly-smollm2.yaml --set rounds=1 --set output=runs/short"
        })
final class TrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "EXPERIMENT.yaml", description = "The experiment.")
    private Path file;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Use this value in place of the file's, such as data.max-tokens=128; may be repeated.")
    private List<String> overrides = new ArrayList<>();

    @ArgGroup
    private @Nullable Existing existing;

    @Option(
            names = "--skip-bad-records",
            description = "Leave out records that can't be used and count them, as data.skip-bad-records does.")
    private boolean skipBadRecords;

    @Option(names = "--json", description = "Print the result as JSON, as in the run folder's result.json.")
    private boolean json;

    /** What to do about a run that is there already. */
    private static final class Existing {
        @Option(names = "--resume", description = "Go on with the run in the output folder, if there is one.")
        private boolean resume;

        @Option(names = "--force", description = "Delete the run in the output folder, if there is one.")
        private boolean force;

        ExistingRun toChoice() {
            return resume ? ExistingRun.RESUME : force ? ExistingRun.REPLACE : ExistingRun.REFUSE;
        }
    }

    @Override
    public Integer call() throws IOException {
        List<String> settings = new ArrayList<>(overrides);
        if (skipBadRecords) {
            settings.add("data.skip-bad-records=true");
        }
        Experiment experiment = ExperimentFile.load(file, settings);
        ExistingRun choice = existing == null ? ExistingRun.REFUSE : existing.toChoice();
        Result result = new ExperimentRunner(experiment, Progress.onStderr()).run(choice);
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? result.toJson() : ResultTable.text(result.scores()));
        if (!json) {
            out.println(result.data().summary());
        }
        if (!json && result.skippedRecords() > 0) {
            out.println("bad records skipped: " + result.skippedRecords());
        }
        out.flush();
        return 0;
    }
}
