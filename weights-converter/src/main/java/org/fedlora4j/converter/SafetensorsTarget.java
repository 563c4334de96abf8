package org.fedlora4j.converter;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter.Options;
import org.fedlora4j.converter.ReadAhead.Piece;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.SafetensorsWriter;
import org.fedlora4j.model.weights.WeightSource;

/** Writes the weights of a model into one safetensors file, aligned for mapping. */
final class SafetensorsTarget {
    private final WeightSource model;
    private final Options options;
    private final Progress progress;
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private String sha256 = "";

    SafetensorsTarget(WeightSource model, Options options, Progress progress) {
        this.model = model;
        this.options = options;
        this.progress = progress;
        ParameterNames.of(model.config()).forEach(parameter -> parameters.put(parameter.name(), parameter));
    }

    void write(Path file) throws IOException {
        MessageDigest digest = Checksum.sha256();
        SafetensorsWriter writer =
                new SafetensorsWriter().metadata("format", "pt").aligned();
        try (ReadAhead ahead = new ReadAhead(options.jobs(), this::read);
                OutputStream stream = new DigestOutputStream(Files.newOutputStream(file), digest)) {
            parameters.forEach((name, parameter) -> {
                long[] shape = parameter.role().shape(model.config());
                writer.tensor(name, type(name), shape, ahead::writeTensor);
            });
            ahead.start(writer.order(), model.config());
            writer.writeTo(progress.counting(stream, writer.length(), "converting"));
        }
        sha256 = HexFormat.of().formatHex(digest.digest());
    }

    private byte[] read(Piece piece) throws IOException {
        ElementType type = type(piece.name());
        byte[] bytes = new byte[piece.elements() * type.bytes()];
        model.read(piece.name(), piece.begin(), type, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /** The written file's, in hexadecimal digits. */
    String sha256() {
        return sha256;
    }

    int tensors() {
        return parameters.size();
    }

    /** Elements of all tensors. */
    long elements() {
        return parameters.values().stream()
                .mapToLong(parameter -> parameter.role().elements(model.config()))
                .sum();
    }

    /** Those of the written tensors, as safetensors names them. */
    String types() {
        TreeSet<String> types = new TreeSet<>();
        parameters.keySet().forEach(name -> types.add(type(name).name()));
        return String.join(", ", types);
    }

    private ElementType type(String name) {
        return options.type().orElseGet(() -> model.type(name));
    }
}
