package org.fedlora4j.converter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.converter.gguf.GgufFile;
import org.fedlora4j.converter.gguf.GgufTensor;
import org.fedlora4j.converter.gguf.GgufType;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.ParameterChecks;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.ParameterNames.Role;
import org.fedlora4j.tokenizer.GgufVocabulary;

/** A GGUF file with a LLaMA as llama.cpp lays it out: quantised weights get their values, rows their place. */
final class GgufModel implements SourceModel {
    static final String SUFFIX = ".gguf";

    private final GgufFile file;
    private final LlamaConfig config;

    /** By Hugging Face's names. */
    private final Map<String, GgufTensor> tensors = new HashMap<>();

    GgufModel(Path path) throws IOException {
        this.file = GgufFile.open(path);
        try {
            Map<String, GgufTensor> all = file.tensors();
            boolean tied = !all.containsKey(GgufNames.name(new Parameter(-1, Role.HEAD)));
            this.config = GgufConfig.read(path.toString(), file.metadata(), tied, ropeFactors());
            for (GgufTensor tensor : all.values()) {
                if (!tensor.name().equals(GgufNames.ROPE_FACTORS)) {
                    add(tensor);
                }
            }
            ParameterChecks.requireAll(config, path.toString(), tensors.keySet());
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public LlamaConfig config() {
        return config;
    }

    @Override
    public ObjectNode configJson() {
        ObjectNode json = config.toJson();
        json.put("torch_dtype", HuggingFaceFolder.dtype(type(ParameterNames.name(Role.EMBEDDING))));
        GgufTokenizer.ids(file.metadata()).forEach(json::put);
        return json;
    }

    @Override
    public ElementType type(String name) {
        return tensor(name).type().exact();
    }

    @Override
    public void read(String name, long begin, ElementType type, ByteBuffer out) throws IOException {
        GgufTensor tensor = tensor(name);
        if (!GgufNames.isPermuted(ParameterNames.parse(name).role())) {
            file.read(tensor, begin, type, out);
            return;
        }
        int columns = config.hiddenSize();
        long next = begin;
        while (out.hasRemaining()) {
            long row = next / columns;
            int column = (int) (next % columns);
            int count = Math.min(columns - column, out.remaining() / type.bytes());
            ByteBuffer part = out.slice(out.position(), count * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            file.read(tensor, GgufNames.rowInGguf(config, row) * columns + column, type, part);
            out.position(out.position() + count * type.bytes());
            next += count;
        }
    }

    @Override
    public void writeCompanions(Path folder) throws IOException {
        Optional<GgufVocabulary> vocabulary = GgufTokenizer.read(file.path(), file.metadata());
        if (vocabulary.isPresent()) {
            vocabulary.get().write(folder);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private float[] ropeFactors() throws IOException {
        GgufTensor tensor = file.tensors().get(GgufNames.ROPE_FACTORS);
        if (tensor == null) {
            return new float[0];
        }
        // The size of a head is not known yet; no model's is near the limit.
        if (tensor.type() != GgufType.F32
                || tensor.shape().size() != 1
                || tensor.shape().get(0) > 1 << 16) {
            throw new BadInputException(file.path() + ": " + tensor.name() + " is " + tensor.type() + " "
                    + tensor.shape() + "; wanted F32, half as many as a head's size");
        }
        float[] factors = new float[Math.toIntExact(tensor.shape().get(0))];
        ByteBuffer bytes = ByteBuffer.allocate(factors.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        file.read(tensor, 0, ElementType.F32, bytes);
        bytes.flip().asFloatBuffer().get(factors);
        return factors;
    }

    private void add(GgufTensor tensor) {
        String place = file.path() + ": " + tensor.name();
        String name = GgufNames.parse(tensor.name())
                .orElseThrow(() -> new BadInputException(place + ": no LLaMA model has a tensor of this name"))
                .name();
        ParameterChecks.requireKnown(config, place, name, tensor.sizes());
        tensors.put(name, tensor);
    }

    private GgufTensor tensor(String name) {
        GgufTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new BadInputException(file.path() + ": " + name + " is missing");
        }
        return tensor;
    }
}
