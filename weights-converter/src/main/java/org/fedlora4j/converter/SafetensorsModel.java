package org.fedlora4j.converter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.model.config.JsonFields;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;

/** A folder with safetensors, Hugging Face's or one of ours. */
final class SafetensorsModel implements SourceModel {
    static final List<String> FILES = List.of("model.safetensors", "model.safetensors.index.json");

    private final Checkpoint checkpoint;

    SafetensorsModel(Path folder) throws IOException {
        checkpoint = Checkpoint.open(folder);
    }

    @Override
    public LlamaConfig config() {
        return checkpoint.config();
    }

    @Override
    public ObjectNode configJson() throws IOException {
        return JsonFields.read(checkpoint.folder().resolve(HuggingFaceFolder.CONFIG))
                .node();
    }

    @Override
    public ElementType type(String name) {
        return checkpoint.type(name);
    }

    @Override
    public void read(String name, long begin, ElementType type, ByteBuffer out) throws IOException {
        checkpoint.read(name, begin, type, out);
    }

    @Override
    public void writeCompanions(Path folder) throws IOException {
        HuggingFaceFolder.copyCompanions(checkpoint.folder(), folder);
    }

    @Override
    public void close() throws IOException {
        checkpoint.close();
    }
}
