package org.fedlora4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;
import org.fedlora4j.converter.WeightType;

/** Converts a model of any format into a checkpoint in bfloat16: {@code ConvertCheckpoint SOURCE TARGET}. */
public final class ConvertCheckpoint {
    private ConvertCheckpoint() {}

    public static void main(String[] arguments) throws IOException {
        var options = new CheckpointConverter.Options(Optional.of(WeightType.BF16), 2);
        var summary =
                CheckpointConverter.convert(Path.of(arguments[0]), Path.of(arguments[1]), options, Progress.onStderr());
        System.out.printf("%d tensors, %,d bytes%n", summary.tensors(), summary.bytes());
    }
}
