package org.fedlora4j.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.SafetensorsWriter;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Models of a few thousand random parameters. */
final class TinyModel {
    private TinyModel() {}

    static LlamaConfig config(int layers, int heads, int keyValueHeads) {
        return new LlamaConfig(
                50, 16, 20, layers, heads, keyValueHeads, 6, 1e-5, 10_000, new RopeScaling.None(), true, 256);
    }

    /** Writes a checkpoint folder in float32. */
    static Path write(Path folder, LlamaConfig config, Random random) throws IOException {
        return write(folder, config, random, ElementType.F32);
    }

    /** Writes a checkpoint folder. */
    static Path write(Path folder, LlamaConfig config, Random random, ElementType type) throws IOException {
        Files.createDirectories(folder);
        config.write(folder.resolve("config.json"));
        SafetensorsWriter writer = new SafetensorsWriter();
        for (ParameterNames.Parameter parameter : ParameterNames.of(config).toList()) {
            long[] shape = parameter.role().shape(config);
            float[] values = gaussian(shape, random);
            ByteBuffer bytes = ByteBuffer.allocate(values.length * type.bytes());
            Elements.encode(values, type, bytes);
            writer.tensor(parameter.name(), type, shape, out -> out.write(bytes.array()));
        }
        writer.write(folder.resolve("model.safetensors"));
        return folder;
    }

    /** The weights of one layer, by module. */
    static Map<String, INDArray> layer(LlamaConfig config, Random random) {
        Map<String, INDArray> weights = new LinkedHashMap<>();
        ParameterNames.of(config).filter(parameter -> parameter.layer() == 0).forEach(parameter -> {
            String module =
                    parameter.name().substring("model.layers.0.".length()).replace(".weight", "");
            weights.put(module, array(random, parameter.role().shape(config)));
        });
        return weights;
    }

    /** Random texts of the given lengths, of whose tokens all but the first are targets. */
    static TokenBatch batch(Random random, int... lengths) {
        int[][] ids = new int[lengths.length][];
        for (int row = 0; row < lengths.length; row++) {
            ids[row] = random.ints(lengths[row], 0, 50).toArray();
        }
        return new TokenBatch(ids, ids, 0);
    }

    static INDArray array(Random random, long... shape) {
        return Nd4j.createFromArray(gaussian(shape, random)).reshape(shape);
    }

    private static float[] gaussian(long[] shape, Random random) {
        int length = 1;
        for (long size : shape) {
            length *= (int) size;
        }
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (0.3 * random.nextGaussian());
        }
        return values;
    }
}
