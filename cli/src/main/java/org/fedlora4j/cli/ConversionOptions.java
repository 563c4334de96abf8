package org.fedlora4j.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter.Options;
import org.fedlora4j.converter.CheckpointConverter.Summary;
import org.fedlora4j.converter.WeightType;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of the commands that write a model, and what they say when it is written. */
final class ConversionOptions {
    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            description =
                    "Type of the weights: ${COMPLETION-CANDIDATES} (q8_0 in GGUF only). Without it they keep theirs, "
                            + "and get f16 in GGUF.")
    private @Nullable Dtype dtype;

    @Option(names = "--jobs", description = "Threads that read and convert; as many as processors by default.")
    private int jobs = Options.DEFAULT.jobs();

    /** The types by the names that they have on the command line. */
    private enum Dtype {
        f32(WeightType.F32),
        f16(WeightType.F16),
        bf16(WeightType.BF16),
        q8_0(WeightType.Q8_0);

        private final WeightType type;

        Dtype(WeightType type) {
            this.type = type;
        }
    }

    Options toOptions() {
        return new Options(Optional.ofNullable(dtype).map(chosen -> chosen.type), jobs);
    }

    static void print(Path target, Summary summary, PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%s: %d tensors, %,d parameters, %s, %s in %s%nsha256 %s%n",
                target,
                summary.tensors(),
                summary.parameters(),
                summary.type(),
                Progress.bytes((double) summary.bytes()),
                Progress.time(summary.seconds()),
                summary.sha256());
        out.flush();
    }
}
