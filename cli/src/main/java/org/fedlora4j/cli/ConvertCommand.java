package org.fedlora4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Converts a checkpoint into a folder that the other commands map into memory. */
@Command(
        name = "convert",
        description = "Convert a Hugging Face checkpoint (safetensors, whole or sharded).",
        footer = {"", "Example:", "  ./fedlora convert ../SmolLM2-135M-Instruct models/smollm2"})
final class ConvertCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SOURCE", description = "Folder with config.json, the weights and the tokenizer.")
    private Path source;

    @Parameters(paramLabel = "TARGET", description = "Folder to make; it must not exist yet.")
    private Path target;

    @Override
    public Integer call() throws IOException {
        CheckpointConverter.Summary summary = CheckpointConverter.convert(source, target, Progress.onStderr());
        spec.commandLine()
                .getOut()
                .printf(
                        Locale.ROOT,
                        "%s: %d tensors, %,d parameters, %s, %s in %s%n",
                        target,
                        summary.tensors(),
                        summary.parameters(),
                        summary.type(),
                        Progress.bytes((double) summary.bytes()),
                        Progress.time(summary.seconds()));
        return 0;
    }
}
