package org.fedlora4j.converter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;

/**
 * Makes a model of any format into a folder that fedlora4j maps into memory and that {@code transformers} loads, or into
 * a GGUF file for llama.cpp. Weights pass through in small pieces, so memory does not grow with the model.
 */
public final class CheckpointConverter {
    private CheckpointConverter() {}

    /**
     * How to convert.
     *
     * @param type of all weights, rounded where need be; if empty, each keeps its own in a folder, and is F16 in GGUF
     * @param jobs threads that read and convert, at least 1
     */
    public record Options(Optional<WeightType> type, int jobs) {
        /** Types are kept; one thread a processor. */
        public static final Options DEFAULT =
                new Options(Optional.empty(), Runtime.getRuntime().availableProcessors());

        public Options {
            if (jobs < 1) {
                throw new BadInputException("jobs is " + jobs + "; wanted at least 1");
            }
        }
    }

    /**
     * What was converted.
     *
     * @param parameters elements of all tensors
     * @param bytes length of the model file
     * @param type type of the weights; of several, all
     * @param sha256 of the model file, in hexadecimal digits
     */
    public record Summary(int tensors, long parameters, long bytes, String type, String sha256, double seconds) {}

    /**
     * Converts a model. The target appears whole or not at all.
     *
     * @param source see {@link SourceModel#open}
     * @param target a folder, or a GGUF file if it ends in {@code .gguf}; must not exist
     * @throws BadInputException if the source is not a sound and supported model, or the target exists
     */
    public static Summary convert(Path source, Path target, Options options, Progress progress) throws IOException {
        requireNew(target);
        try (SourceModel model = SourceModel.open(source)) {
            return convert(model, source.toString(), target, options, progress);
        }
    }

    /**
     * Converts a model that is open already.
     *
     * @param origin what the folder's {@code fedlora.json} says it came from
     */
    public static Summary convert(SourceModel model, String origin, Path target, Options options, Progress progress)
            throws IOException {
        requireNew(target);
        boolean gguf = target.toString().endsWith(GgufModel.SUFFIX);
        if (!gguf && options.type().equals(Optional.of(WeightType.Q8_0))) {
            throw new BadInputException(
                    target + ": Q8_0 is a type of GGUF's; wanted a target that ends in " + GgufModel.SUFFIX);
        }
        long began = System.nanoTime();
        ModelTarget writer = gguf
                ? new GgufTarget(model, options, progress)
                : new CheckpointTarget(model, origin, options, progress);
        ModelTarget.Written written = writer.write(target);
        double seconds = (System.nanoTime() - began) / 1e9;
        return new Summary(
                written.tensors(), written.parameters(), written.bytes(), written.types(), written.sha256(), seconds);
    }

    private static void requireNew(Path target) {
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw new BadInputException(target + ": exists; wanted the name of something new");
        }
    }
}
