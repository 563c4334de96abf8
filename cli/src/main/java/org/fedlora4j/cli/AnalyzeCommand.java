package org.fedlora4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.fedlora4j.benchmark.analysis.SensitivityAnalysis;
import org.fedlora4j.benchmark.analysis.SensitivityJson;
import org.fedlora4j.benchmark.analysis.SensitivityPictures;
import org.fedlora4j.benchmark.analysis.SensitivityTables;
import org.fedlora4j.common.AtomicFiles;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says in what the adapters of a run differ. */
@Command(
        name = "analyze",
        description = {
            "Compare the shared adapter of a run with each client's, and these with each other: how far directions and "
                    + "magnitudes of A and B moved, beside what FedLoRA-Optimizer's authors found.",
            "Writes analysis.json into the run's folder, and pictures by layer."
        },
        footer = {"", "Example:", "  ./fedlora analyze runs/sensitivity-smollm2"})
final class AnalyzeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "RUN", description = "Folder of a run that is complete.")
    private Path run;

    @Option(
            names = "--from",
            paramLabel = "ADAPTER",
            description = "Compare the clients' with this PEFT adapter, not with the run's shared one.")
    private @Nullable Path from;

    @Option(
            names = "--pictures",
            paramLabel = "DIR",
            description = "Folder for the pictures (default: pictures in the run's folder).")
    private @Nullable Path pictures;

    @Option(names = "--json", description = "Print the analysis as JSON, as in the run folder's analysis.json.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        SensitivityAnalysis analysis = SensitivityAnalysis.of(run, from);
        String tree = SensitivityJson.tree(analysis).toPrettyString() + "\n";
        AtomicFiles.writeString(run.resolve("analysis.json"), tree);
        List<Path> written = SensitivityPictures.write(analysis, pictures == null ? run.resolve("pictures") : pictures);
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? tree : SensitivityTables.text(analysis));
        if (!json) {
            written.forEach(picture -> out.println("\n" + picture));
        }
        out.flush();
        return 0;
    }
}
