package org.fedlora4j.federation;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Sha256;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.SafetensorsFile;
import org.fedlora4j.model.weights.SafetensorsWriter;
import org.fedlora4j.model.weights.TensorInfo;

/** The files of one saved state: an index in JSON, tensors, and checksums of them all. */
final class StateFiles {
    static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private static final String CHECKSUMS = "SHA256SUMS";

    private StateFiles() {}

    /** Writes the checksums of all files that the folder has, as {@code sha256sum -c} takes them. */
    static void seal(Path folder) throws IOException {
        Files.writeString(folder.resolve(CHECKSUMS), checksums(folder));
    }

    /**
     * Refuses a folder whose files aren't those that were sealed.
     *
     * @throws BadInputException if a checksum differs
     */
    static void requireSealed(Path folder) throws IOException {
        if (!checksums(folder).equals(Files.readString(folder.resolve(CHECKSUMS)))) {
            throw new BadInputException("the files' checksums differ from those in " + CHECKSUMS);
        }
    }

    /** Writes values as tensors {@code <part>/<module>}. */
    static void write(PartValues values, Path folder, String name) throws IOException {
        SortedMap<String, Matrix> tensors = new TreeMap<>();
        values.values()
                .forEach(
                        (part, modules) -> modules.forEach((module, value) -> tensors.put(part + "/" + module, value)));
        write(tensors, folder, name);
    }

    /** Writes tensors into {@code <name>.safetensors}. */
    static void write(SortedMap<String, Matrix> tensors, Path folder, String name) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        tensors.forEach(
                (tensor, value) -> writer.floats(tensor, new long[] {value.rows(), value.columns()}, value.values()));
        writer.write(file(folder, name));
    }

    static PartValues readValues(Path folder, String name) throws IOException {
        SortedMap<Part, SortedMap<String, Matrix>> values = new TreeMap<>();
        read(folder, name).forEach((tensor, value) -> {
            String[] partAndModule = tensor.split("/", 2);
            values.computeIfAbsent(Part.named(partAndModule[0]), part -> new TreeMap<>())
                    .put(partAndModule[partAndModule.length - 1], value);
        });
        return new PartValues(values);
    }

    static SortedMap<String, Matrix> read(Path folder, String name) throws IOException {
        SortedMap<String, Matrix> tensors = new TreeMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(file(folder, name))) {
            for (Map.Entry<String, TensorInfo> entry : file.tensors().entrySet()) {
                long[] shape = entry.getValue().shape();
                if (entry.getValue().type() != ElementType.F32 || shape.length != 2) {
                    throw new BadInputException(
                            file.path() + ": " + entry.getKey() + " is " + entry.getValue() + ", wanted an F32 matrix");
                }
                tensors.put(
                        entry.getKey(),
                        Matrix.of(Math.toIntExact(shape[0]), Math.toIntExact(shape[1]), file.floats(entry.getKey())));
            }
        }
        return tensors;
    }

    private static String checksums(Path folder) throws IOException {
        StringBuilder lines = new StringBuilder();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                if (!file.endsWith(CHECKSUMS)) {
                    lines.append(Sha256.of(file))
                            .append("  ")
                            .append(file.getFileName())
                            .append('\n');
                }
            }
        }
        return lines.toString();
    }

    private static Path file(Path folder, String name) {
        return folder.resolve(name + ".safetensors");
    }
}
