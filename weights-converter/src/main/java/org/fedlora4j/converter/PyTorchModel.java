package org.fedlora4j.converter;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.converter.torch.TorchFile;
import org.fedlora4j.model.config.JsonFields;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.ParameterChecks;
import org.fedlora4j.model.weights.TensorFolder;

/** A folder of Hugging Face's with {@code pytorch_model.bin}, whole or in shards. */
final class PyTorchModel implements SourceModel {
    private static final String SINGLE = "pytorch_model.bin";
    static final List<String> FILES = List.of(SINGLE, SINGLE + TensorFolder.INDEX_SUFFIX);

    private final Path folder;
    private final LlamaConfig config;
    private final TensorFolder<TorchFile> tensors;

    private PyTorchModel(Path folder, LlamaConfig config, TensorFolder<TorchFile> tensors) {
        this.folder = folder;
        this.config = config;
        this.tensors = tensors;
    }

    static PyTorchModel open(Path folder) throws IOException {
        LlamaConfig config = LlamaConfig.read(folder.resolve(HuggingFaceFolder.CONFIG));
        TensorFolder<TorchFile> tensors = TensorFolder.open(folder, SINGLE, TorchFile::open);
        PyTorchModel model = new PyTorchModel(folder, config, tensors);
        try {
            ParameterChecks.requireSame(model, tensors);
        } catch (IOException | RuntimeException e) {
            tensors.close();
            throw e;
        }
        return model;
    }

    @Override
    public LlamaConfig config() {
        return config;
    }

    @Override
    public ObjectNode configJson() throws IOException {
        return JsonFields.read(folder.resolve(HuggingFaceFolder.CONFIG)).node();
    }

    @Override
    public ElementType type(String name) {
        return tensors.file(name).type(name);
    }

    @Override
    public void read(String name, long begin, ElementType type, ByteBuffer out) throws IOException {
        tensors.file(name).read(name, begin, type, out);
    }

    @Override
    public void writeCompanions(Path target) throws IOException {
        HuggingFaceFolder.copyCompanions(folder, target);
    }

    @Override
    public void close() throws IOException {
        tensors.close();
    }
}
