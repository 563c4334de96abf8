package org.fedlora4j.tests.parity;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.SafetensorsWriter;

/**
 * Weights that follow from a seed, row by row, so that a reference need not read what was written for the model that is tested.
 * They are uniform, their deviation 1.28 / sqrt(row's length), which at a width of 4,096 is 0.02; norms lie around 1. All of
 * them are exact in bf16.
 */
final class SeededWeights implements NaiveLlama.WeightRows {
    private static final double ROUNDING = 0x1p-24;
    private static final double BOUND = 1.28 * Math.sqrt(3);

    private final LlamaConfig config;
    private final long seed;

    SeededWeights(LlamaConfig config, long seed) {
        this.config = config;
        this.seed = seed;
    }

    @Override
    public double[] row(String name, int row) {
        long[] shape = ParameterNames.parse(name).role().shape(config);
        boolean norm = shape.length == 1;
        double[] values = new double[(int) shape[shape.length - 1]];
        double bound = norm ? 0.2 : BOUND / Math.sqrt(values.length);
        SplittableRandom random = new SplittableRandom((seed * 31 + name.hashCode()) * 1_000_003 + row);
        for (int i = 0; i < values.length; i++) {
            double value = (norm ? 1 : 0) + bound * (random.nextInt() * 0x1p-31);
            // The upper half of float32 is bf16.
            values[i] = Float.intBitsToFloat(Float.floatToRawIntBits((float) value) & 0xffff0000);
        }
        return values;
    }

    /**
     * The same weights, each off by float32's rounding of 2^-24, up or down at random.
     *
     * @param draw another number gives other directions
     */
    NaiveLlama.WeightRows rounded(int draw) {
        return (name, row) -> {
            double[] values = row(name, row);
            SplittableRandom random = new SplittableRandom((seed * 37 + draw + name.hashCode()) * 1_000_003 + row);
            long bits = 0;
            for (int i = 0; i < values.length; i++) {
                bits = i % Long.SIZE == 0 ? random.nextLong() : bits >>> 1;
                values[i] *= 1 + ROUNDING * (2 * (bits & 1) - 1);
            }
            return values;
        };
    }

    /** Writes a checkpoint as {@code convert} does. */
    void write(Path folder, ElementType type) throws IOException {
        config.write(folder.resolve("config.json"));
        Files.writeString(folder.resolve("fedlora.json"), "{\"formatVersion\": 1, \"source\": \"a seed\"}");
        SafetensorsWriter writer =
                new SafetensorsWriter().metadata("format", "pt").aligned();
        for (Parameter parameter : ParameterNames.of(config).toList()) {
            long[] shape = parameter.role().shape(config);
            writer.tensor(parameter.name(), type, shape, out -> write(parameter.name(), shape, type, out));
        }
        writer.write(folder.resolve("model.safetensors"));
    }

    private void write(String name, long[] shape, ElementType type, OutputStream out) throws IOException {
        int rows = shape.length == 1 ? 1 : (int) shape[0];
        for (int row = 0; row < rows; row++) {
            double[] values = row(name, row);
            float[] floats = new float[values.length];
            for (int i = 0; i < values.length; i++) {
                floats[i] = (float) values[i];
            }
            ByteBuffer bytes = ByteBuffer.allocate(values.length * type.bytes());
            Elements.encode(floats, type, bytes);
            out.write(bytes.array());
        }
    }
}
