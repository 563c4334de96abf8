package org.fedlora4j.converter;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;

/**
 * Makes a model of any format into a folder that fedlora4j maps into memory and that {@code transformers} loads: {@code
 * config.json}, one {@code model.safetensors} with aligned tensors, the tokenizer's files, {@code fedlora.json}. Weights
 * pass through in small pieces, so memory does not grow with the model.
 */
public final class CheckpointConverter {
    static final String WEIGHTS = "model.safetensors";

    private CheckpointConverter() {}

    /**
     * How to convert.
     *
     * @param type of all weights, rounded where need be; each keeps its own if empty
     * @param jobs threads that read and convert, at least 1
     */
    public record Options(Optional<ElementType> type, int jobs) {
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
     * @param type type of the weights as safetensors names it; of several, all
     * @param sha256 of the model file, in hexadecimal digits
     */
    public record Summary(int tensors, long parameters, long bytes, String type, String sha256, double seconds) {}

    /**
     * Converts a model. The target appears whole or not at all.
     *
     * @param source see {@link SourceModel#open}
     * @param target must not exist
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
     * @param origin what {@code fedlora.json} says it came from
     */
    public static Summary convert(SourceModel model, String origin, Path target, Options options, Progress progress)
            throws IOException {
        requireNew(target);
        long began = System.nanoTime();
        SafetensorsTarget weights = new SafetensorsTarget(model, options, progress);
        AtomicFiles.writeFolder(target, folder -> {
            Files.writeString(
                    folder.resolve(HuggingFaceFolder.CONFIG),
                    configJson(model, options).toPrettyString() + "\n");
            model.writeCompanions(folder);
            weights.write(folder.resolve(WEIGHTS));
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            json.put("formatVersion", Checkpoint.FORMAT_VERSION);
            json.put("source", origin);
            json.put("sha256", weights.sha256());
            Files.writeString(
                    folder.resolve(Checkpoint.ORIGIN_FILE), json.toPrettyString() + "\n", StandardCharsets.UTF_8);
            Checkpoint.open(folder).close();
        });
        return new Summary(
                weights.tensors(),
                weights.elements(),
                Files.size(target.resolve(WEIGHTS)),
                weights.types(),
                weights.sha256(),
                (System.nanoTime() - began) / 1e9);
    }

    private static void requireNew(Path target) {
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw new BadInputException(target + ": exists; wanted the name of a new folder");
        }
    }

    /** The source's own, which says more than we need, with the weights' new type. */
    private static ObjectNode configJson(SourceModel model, Options options) throws IOException {
        ObjectNode json = model.configJson();
        // transformers before 4.56 reads torch_dtype only.
        options.type().ifPresent(type -> json.put(json.has("dtype") ? "dtype" : "torch_dtype", dtype(type)));
        return json;
    }

    /** What {@code config.json} calls a type of weights. */
    static String dtype(ElementType type) {
        return switch (type) {
            case F32 -> "float32";
            case F16 -> "float16";
            default -> "bfloat16";
        };
    }
}
