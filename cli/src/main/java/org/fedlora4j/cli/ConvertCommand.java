package org.fedlora4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;
import org.fedlora4j.model.weights.ElementType;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Converts a checkpoint into a folder that the other commands map into memory. */
@Command(
        name = "convert",
        description = "Convert a model into a folder that the other commands map into memory.",
        footer = {"", "Example:", "  ./fedlora convert ../SmolLM2-135M-Instruct models/smollm2"})
final class ConvertCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "SOURCE",
            description = "A folder from Hugging Face with safetensors, whole or in shards, or one of these files.")
    private Path source;

    @Parameters(paramLabel = "TARGET", description = "Folder to make; it must not exist yet.")
    private Path target;

    @Option(names = "--dtype", paramLabel = "TYPE", description = "Type of the weights: ${COMPLETION-CANDIDATES}.")
    private @Nullable Dtype dtype;

    @Option(names = "--jobs", description = "Threads that read and convert; as many as processors by default.")
    private int jobs = CheckpointConverter.Options.DEFAULT.jobs();

    /** The types by the names that they have on the command line. */
    private enum Dtype {
        f32(ElementType.F32),
        f16(ElementType.F16),
        bf16(ElementType.BF16);

        private final ElementType type;

        Dtype(ElementType type) {
            this.type = type;
        }
    }

    @Override
    public Integer call() throws IOException {
        Optional<ElementType> type = Optional.ofNullable(dtype).map(chosen -> chosen.type);
        CheckpointConverter.Summary summary = CheckpointConverter.convert(
                source, target, new CheckpointConverter.Options(type, jobs), Progress.onStderr());
        spec.commandLine()
                .getOut()
                .printf(
                        Locale.ROOT,
                        "%s: %d tensors, %,d parameters, %s, %s in %s%nsha256 %s%n",
                        target,
                        summary.tensors(),
                        summary.parameters(),
                        summary.type(),
                        Progress.bytes((double) summary.bytes()),
                        Progress.time(summary.seconds()),
                        summary.sha256());
        return 0;
    }
}
