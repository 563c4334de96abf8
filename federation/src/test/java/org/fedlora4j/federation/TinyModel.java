package org.fedlora4j.federation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.SafetensorsWriter;

/** A model with random weights, small enough for hundreds of steps a second. */
final class TinyModel {
    static final int VOCABULARY = 60;

    private static final LlamaConfig CONFIG =
            new LlamaConfig(VOCABULARY, 32, 48, 2, 4, 2, 8, 1e-6, 10_000, new RopeScaling.None(), true, 128);

    private TinyModel() {}

    /** Writes the model's checkpoint into {@code folder} and opens it. */
    static LanguageModel open(Path folder) throws IOException {
        Files.createDirectories(folder);
        CONFIG.write(folder.resolve("config.json"));
        SafetensorsWriter writer = new SafetensorsWriter();
        Random random = new Random(3);
        ParameterNames.of(CONFIG).forEach(parameter -> {
            long[] shape = parameter.role().shape(CONFIG);
            boolean norm = shape.length == 1;
            float[] values = new float[(int) (shape[0] * (norm ? 1 : shape[1]))];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (norm ? 1 : 0.2 * random.nextGaussian());
            }
            writer.floats(parameter.name(), shape, values);
        });
        writer.write(folder.resolve("model.safetensors"));
        return LanguageModel.open(folder);
    }
}
