package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.SafetensorsWriter;

/** The first layers of a model as a checkpoint of their own. What it says is nonsense, but it takes its time. */
final class TruncatedModel {
    private TruncatedModel() {}

    /** @param layers at most those of the model */
    static void write(Path model, int layers, Path folder) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            LlamaConfig config = withLayers(checkpoint.config(), layers);
            Files.createDirectories(folder);
            config.write(folder.resolve("config.json"));
            SafetensorsWriter writer = new SafetensorsWriter().aligned();
            for (Parameter parameter : ParameterNames.of(config).toList()) {
                String name = parameter.name();
                writer.tensor(
                        name,
                        checkpoint.type(name),
                        parameter.role().shape(config),
                        out -> copy(checkpoint, name, out));
            }
            writer.write(folder.resolve("model.safetensors"));
        }
    }

    private static void copy(Checkpoint checkpoint, String name, OutputStream out) throws IOException {
        ElementType type = checkpoint.type(name);
        ByteBuffer bytes =
                ByteBuffer.allocate(Math.toIntExact(checkpoint.info(name).byteSize()));
        checkpoint.read(name, 0, type, bytes);
        out.write(bytes.array());
    }

    private static LlamaConfig withLayers(LlamaConfig config, int layers) {
        return new LlamaConfig(
                config.vocabularySize(),
                config.hiddenSize(),
                config.intermediateSize(),
                layers,
                config.heads(),
                config.keyValueHeads(),
                config.headSize(),
                config.rmsNormEps(),
                config.ropeTheta(),
                config.ropeScaling(),
                config.tiedEmbeddings(),
                config.maxPositions());
    }
}
