package org.fedlora4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.fedlora4j.benchmark.RunAdapters;
import org.fedlora4j.common.BadInputException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Takes an adapter out of a run, for PEFT, or merged into the run's model. */
@Command(
        name = "export",
        description = "Write an adapter of a run as a folder that PEFT loads, or a model with it folded in.",
        footer = {
            "",
            "Example:",
            "  ./fedlora export runs/dolly-smollm2 --client open_qa --to exported/open_qa",
            "  ./fedlora export runs/dolly-smollm2 --merge --to models/smollm2-dolly"
        })
final class ExportCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "RUN", description = "Folder of a run that is complete.")
    private Path run;

    @Option(names = "--client", paramLabel = "ID", description = "This client's own adapter, not the global one.")
    private @Nullable String client;

    @Option(names = "--to", required = true, paramLabel = "TARGET", description = "What to write; it must not exist.")
    private Path target;

    @Option(names = "--merge", description = "Fold the adapter into the run's model.")
    private boolean merge;

    @Option(
            names = "--base-model",
            paramLabel = "NAME",
            description = "What adapter_config.json calls the model, such as its name on the hub (default: the path "
                    + "in the run's experiment.yaml).")
    private @Nullable String baseModel;

    @Mixin
    private final ConversionOptions options = new ConversionOptions();

    @Override
    public Integer call() throws IOException {
        RunAdapters adapters = RunAdapters.open(run);
        Path adapter = client == null ? adapters.global() : adapters.client(client);
        PrintWriter out = spec.commandLine().getOut();
        if (merge) {
            MergedModel.write(adapters.model(), adapter, target, options, out);
        } else {
            if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                throw new BadInputException(target + ": exists; wanted the name of a new folder");
            }
            adapters.export(
                    adapter, target, baseModel == null ? adapters.model().toString() : baseModel);
            out.println(target + ": adapter for PEFT");
            out.flush();
        }
        return 0;
    }
}
