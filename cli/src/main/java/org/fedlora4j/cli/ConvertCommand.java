package org.fedlora4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Converts a checkpoint into a folder that the other commands map into memory. */
@Command(
        name = "convert",
        description = "Convert a model into a folder that the other commands map into memory, or into a GGUF file.",
        footer = {
            "",
            "Example:",
            "  ./fedlora convert ../SmolLM2-135M-Instruct models/smollm2",
            "  ./fedlora convert models/smollm2 smollm2.gguf --dtype q8_0"
        })
final class ConvertCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "SOURCE",
            description =
                    "A folder from Hugging Face with safetensors or pytorch_model.bin, whole or in shards, or one of "
                            + "these files; or a GGUF file.")
    private Path source;

    @Parameters(
            paramLabel = "TARGET",
            description = "Folder to make, or a GGUF file if it ends in .gguf; it must not exist yet.")
    private Path target;

    @Mixin
    private final ConversionOptions options = new ConversionOptions();

    @Override
    public Integer call() throws IOException {
        CheckpointConverter.Summary summary =
                CheckpointConverter.convert(source, target, options.toOptions(), Progress.onStderr());
        ConversionOptions.print(target, summary, spec.commandLine().getOut());
        return 0;
    }
}
