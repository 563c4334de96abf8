package org.fedlora4j.converter;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.SafetensorsWriter;
import org.fedlora4j.model.weights.TensorInfo;

/**
 * Makes a Hugging Face checkpoint in safetensors, whole or in shards, into a folder that fedlora4j maps into memory and
 * that {@code transformers} still loads: {@code config.json}, one {@code model.safetensors} with aligned tensors, the
 * tokenizer's files, {@code fedlora.json}. Values and their type stay as they are; tensors pass through a small buffer
 * one by one, so memory does not grow with the model.
 */
public final class CheckpointConverter {
    /** Copied where the source has them. */
    private static final List<String> COMPANIONS = List.of(
            "added_tokens.json",
            "chat_template.jinja",
            "generation_config.json",
            "merges.txt",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer.model",
            "tokenizer_config.json",
            "vocab.json");

    private CheckpointConverter() {}

    /**
     * What was converted.
     *
     * @param parameters elements of all tensors
     * @param bytes length of the model file
     * @param type type of the weights as safetensors names it; of several, all
     */
    public record Summary(int tensors, long parameters, long bytes, String type, double seconds) {}

    /**
     * Converts a folder. The target appears whole or not at all.
     *
     * @param target must not exist
     * @throws BadInputException if the source is not a sound checkpoint of a supported model, or the target exists
     */
    public static Summary convert(Path source, Path target, Progress progress) throws IOException {
        long began = System.nanoTime();
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw new BadInputException(target + ": exists; wanted the name of a new folder");
        }
        refuseOtherFormats(source);
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            AtomicFiles.writeFolder(target, folder -> write(checkpoint, folder, progress));
            List<TensorInfo> tensors = names(checkpoint).map(checkpoint::info).toList();
            return new Summary(
                    tensors.size(),
                    tensors.stream().mapToLong(TensorInfo::elements).sum(),
                    Files.size(target.resolve("model.safetensors")),
                    tensors.stream()
                            .map(tensor -> tensor.type().name())
                            .distinct()
                            .sorted()
                            .collect(Collectors.joining(", ")),
                    (System.nanoTime() - began) / 1e9);
        }
    }

    private static void write(Checkpoint checkpoint, Path folder, Progress progress) throws IOException {
        Path source = checkpoint.folder();
        copy(source.resolve("config.json"), folder);
        for (String companion : COMPANIONS) {
            if (Files.isRegularFile(source.resolve(companion))) {
                copy(source.resolve(companion), folder);
            }
        }
        String sha256 = writeModel(checkpoint, folder.resolve("model.safetensors"), progress);
        ObjectNode origin = JsonNodeFactory.instance.objectNode();
        origin.put("formatVersion", Checkpoint.FORMAT_VERSION);
        origin.put("source", source.toString());
        origin.put("sha256", sha256);
        Files.writeString(
                folder.resolve(Checkpoint.ORIGIN_FILE), origin.toPrettyString() + "\n", StandardCharsets.UTF_8);
        Checkpoint.open(folder).close();
    }

    /** Copies the content alone: a source that is read-only must not make the target so. */
    private static void copy(Path file, Path folder) throws IOException {
        try (OutputStream out = Files.newOutputStream(folder.resolve(file.getFileName()))) {
            Files.copy(file, out);
        }
    }

    /** Writes the tensors and returns the file's SHA-256 in hexadecimal digits. */
    private static String writeModel(Checkpoint checkpoint, Path file, Progress progress) throws IOException {
        SafetensorsWriter writer =
                new SafetensorsWriter().metadata("format", "pt").aligned();
        long total = names(checkpoint)
                .map(checkpoint::info)
                .mapToLong(TensorInfo::byteSize)
                .sum();
        long[] done = {0};
        names(checkpoint).forEach(name -> {
            TensorInfo info = checkpoint.info(name);
            writer.tensor(name, info.type(), info.shape(), out -> {
                progress.update(done[0], total, "converting");
                checkpoint.copyTo(name, out);
                done[0] += info.byteSize();
            });
        });
        MessageDigest digest = sha256();
        try (OutputStream out = new DigestOutputStream(Files.newOutputStream(file), digest)) {
            writer.writeTo(out);
        }
        progress.update(total, total, "converting");
        return HexFormat.of().formatHex(digest.digest());
    }

    private static Stream<String> names(Checkpoint checkpoint) {
        return ParameterNames.of(checkpoint.config()).map(Parameter::name);
    }

    /** What is no folder of safetensors gets an answer of its own. */
    private static void refuseOtherFormats(Path source) throws IOException {
        if (Files.isRegularFile(source)) {
            throw unsupported(source);
        }
        if (!Files.isDirectory(source)) {
            throw new BadInputException(source + ": no such folder; wanted a model's folder");
        }
        try (Stream<Path> files = Files.list(source)) {
            List<Path> all = files.sorted().toList();
            boolean safetensors = all.stream().anyMatch(file -> file.toString().contains(".safetensors"));
            for (Path file : all) {
                if (!safetensors
                        && (file.toString().endsWith(".bin") || file.toString().endsWith(".gguf"))) {
                    throw unsupported(file);
                }
            }
        }
    }

    private static BadInputException unsupported(Path file) {
        return new BadInputException(file + ": not a supported format; wanted a folder with model.safetensors or with"
                + " model.safetensors.index.json and its shards");
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }
}
