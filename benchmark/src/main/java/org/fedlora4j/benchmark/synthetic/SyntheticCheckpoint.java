package org.fedlora4j.benchmark.synthetic;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.speed.Arguments;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * Writes a checkpoint of made-up weights, tensor by tensor: the same seed gives the same bytes, and a tensor's values do not
 * depend on the format or the number of layers.
 */
public final class SyntheticCheckpoint {
    private static final String USAGE = """
            wanted MODEL FOLDER [--format=torch|safetensors] [--layers=N] [--seed=1] [--tokenizers=../shared/tokenizers]
              MODEL   llama2-7b, deepseek-llm-7b-base, or a folder with another model's config.json
              FOLDER  where the checkpoint is written; new, or empty""";

    private SyntheticCheckpoint() {}

    public static void main(String[] texts) throws IOException {
        Arguments.showMistakesPlainly();
        if (texts.length == 0) {
            throw new BadInputException(USAGE);
        }
        run(Progress.onStderr(), texts);
    }

    static void run(Progress progress, String... texts) throws IOException {
        Arguments arguments =
                Arguments.parse(texts, List.of("MODEL", "FOLDER"), Set.of("format", "layers", "seed", "tokenizers"));
        Path root = Path.of(System.getProperty("fedlora.root", "."));
        Path tokenizers = Path.of(arguments.text(
                "tokenizers", root.resolve("../shared/tokenizers").normalize().toString()));
        Blueprint blueprint = Blueprint.of(arguments.text("MODEL"), tokenizers);
        if (arguments.has("layers")) {
            blueprint = blueprint.withLayers(arguments.number("layers", 1));
        }
        CheckpointFormat format = arguments.choice("format", CheckpointFormat.TORCH);
        write(
                blueprint,
                format,
                arguments.number("seed", 1),
                CheckpointPlan.SHARD_BYTES,
                arguments.path("FOLDER"),
                progress);
    }

    /**
     * Writes a checkpoint. The folder appears whole or not at all.
     *
     * @param shardBytes of tensors in a file, at most; but one tensor at least
     * @throws BadInputException if the folder has something in it, or its disk too little room
     */
    static void write(
            Blueprint blueprint, CheckpointFormat format, long seed, long shardBytes, Path target, Progress progress)
            throws IOException {
        requireEmpty(target);
        AtomicFiles.writeFolder(target, folder -> {
            for (Map.Entry<String, byte[]> file : blueprint.files().entrySet()) {
                Files.write(folder.resolve(file.getKey()), file.getValue());
            }
            LlamaConfig config = LlamaConfig.read(folder.resolve(Blueprint.CONFIG));
            CheckpointPlan plan = new CheckpointPlan(blueprint, config, format, seed, shardBytes);
            long free = Files.getFileStore(folder).getUsableSpace();
            progress.line("%s: %s of made-up weights in %d file(s); %s are free"
                    .formatted(
                            target,
                            Progress.bytes((double) plan.bytes()),
                            plan.files().size(),
                            Progress.bytes((double) free)));
            requireSpace(target, plan.bytes(), free);
            for (Map.Entry<String, Long> file : plan.files().entrySet()) {
                try (OutputStream out = Files.newOutputStream(folder.resolve(file.getKey()))) {
                    plan.write(file.getKey(), progress.counting(out, file.getValue(), "writing " + file.getKey()));
                }
            }
            if (plan.hasIndex()) {
                Files.writeString(folder.resolve(plan.indexFile()), plan.index());
            }
        });
    }

    static void requireSpace(Path target, long wanted, long free) {
        if (free < wanted) {
            throw new BadInputException(target + ": " + Progress.bytes((double) free) + " are free on its disk; wanted "
                    + Progress.bytes((double) wanted));
        }
    }

    private static void requireEmpty(Path target) throws IOException {
        if (!Files.exists(target)) {
            return;
        }
        if (!Files.isDirectory(target)) {
            throw new BadInputException(target + ": is a file; wanted a new folder, or an empty one");
        }
        try (Stream<Path> files = Files.list(target)) {
            if (files.findAny().isPresent()) {
                throw new BadInputException(target + ": is not empty; wanted a new folder, or an empty one");
            }
        }
    }
}
