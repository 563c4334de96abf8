package org.fedlora4j.converter;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter.Options;
import org.fedlora4j.converter.ReadAhead.Piece;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.SafetensorsWriter;

/**
 * A folder that fedlora4j maps into memory and that {@code transformers} loads: {@code config.json}, one
 * {@code model.safetensors} with aligned tensors, the tokenizer's files, {@code fedlora.json}.
 */
final class CheckpointTarget implements ModelTarget {
    static final String WEIGHTS = "model.safetensors";

    private final SourceModel model;
    private final String origin;
    private final Optional<ElementType> type;
    private final int jobs;
    private final Progress progress;
    private final List<Parameter> parameters;

    CheckpointTarget(SourceModel model, String origin, Options options, Progress progress) {
        this.model = model;
        this.origin = origin;
        this.type = options.type().flatMap(WeightType::elements);
        this.jobs = options.jobs();
        this.progress = progress;
        this.parameters = ParameterNames.of(model.config()).toList();
    }

    @Override
    public Written write(Path target) throws IOException {
        String[] sha256 = new String[1];
        AtomicFiles.writeFolder(target, folder -> {
            writeJson(folder.resolve(HuggingFaceFolder.CONFIG), configJson());
            model.writeCompanions(folder);
            sha256[0] = writeWeights(folder.resolve(WEIGHTS));
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            json.put("formatVersion", Checkpoint.FORMAT_VERSION);
            json.put("source", origin);
            json.put("sha256", sha256[0]);
            writeJson(folder.resolve(Checkpoint.ORIGIN_FILE), json);
            Checkpoint.open(folder).close();
        });
        return new Written(
                parameters.size(),
                parameters.stream().mapToLong(this::elements).sum(),
                Files.size(target.resolve(WEIGHTS)),
                types(),
                sha256[0]);
    }

    private static void writeJson(Path file, ObjectNode json) throws IOException {
        Files.writeString(file, json.toPrettyString() + "\n");
    }

    /** The source's own, which says more than we need, with the weights' new type. */
    private ObjectNode configJson() throws IOException {
        ObjectNode json = model.configJson();
        // transformers before 4.56 reads torch_dtype only.
        type.ifPresent(
                chosen -> json.put(json.has("dtype") ? "dtype" : "torch_dtype", HuggingFaceFolder.dtype(chosen)));
        return json;
    }

    private String writeWeights(Path file) throws IOException {
        SafetensorsWriter writer =
                new SafetensorsWriter().metadata("format", "pt").aligned();
        try (ReadAhead ahead = new ReadAhead(jobs, this::read)) {
            for (Parameter parameter : parameters) {
                String name = parameter.name();
                writer.tensor(name, type(name), parameter.role().shape(model.config()), ahead::writeTensor);
            }
            ahead.start(writer.order(), model.config());
            return HashedFile.write(file, out -> writer.writeTo(progress.counting(out, writer.length(), "converting")));
        }
    }

    private byte[] read(Piece piece) throws IOException {
        ElementType chosen = type(piece.name());
        byte[] bytes = new byte[piece.elements() * chosen.bytes()];
        model.read(piece.name(), piece.begin(), chosen, ByteBuffer.wrap(bytes));
        return bytes;
    }

    private long elements(Parameter parameter) {
        return parameter.role().elements(model.config());
    }

    private String types() {
        TreeSet<String> types = new TreeSet<>();
        parameters.forEach(parameter -> types.add(type(parameter.name()).name()));
        return String.join(", ", types);
    }

    private ElementType type(String name) {
        return type.orElseGet(() -> model.type(name));
    }
}
