package org.fedlora4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Folds an adapter into its model. */
@Command(
        name = "merge",
        description = "Fold a PEFT adapter into a model, which transformers then loads like any other.",
        footer = {
            "",
            "Example:",
            "  ./fedlora merge models/smollm2 runs/dolly-smollm2/adapters/global models/smollm2-dolly"
        })
final class MergeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "A model that convert takes.")
    private Path model;

    @Parameters(paramLabel = "ADAPTER", description = "Folder with adapter_config.json and adapter_model.safetensors.")
    private Path adapter;

    @Parameters(paramLabel = "TARGET", description = "What to write, as for convert; it must not exist yet.")
    private Path target;

    @Mixin
    private final ConversionOptions options = new ConversionOptions();

    @Override
    public Integer call() throws IOException {
        MergedModel.write(model, adapter, target, options, spec.commandLine().getOut());
        return 0;
    }
}
