package org.fedlora4j.model;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.fedlora4j.kernels.AttentionCache;
import org.fedlora4j.kernels.LowRank;
import org.fedlora4j.kernels.Numbers;
import org.fedlora4j.kernels.RmsNormKernel;
import org.fedlora4j.kernels.RopeKernel;
import org.fedlora4j.kernels.SwiGluKernel;
import org.fedlora4j.kernels.TokenProducts;
import org.fedlora4j.kernels.WeightMatrix;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.NativeArrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The model for a few tokens at a time, N of them, each seeing all earlier tokens of its row: what {@link LlamaGraph} says,
 * as calls of kernels. What the tokens make is small and lies on the Java heap.
 * The adapter's values are those of when this was made.
 */
final class TokenPass {
    private final LlamaConfig config;
    private final DecodingMemory memory;
    private final TokenProducts products;
    private final List<Layer> layers = new ArrayList<>();
    private final WeightMatrix embedding;
    private final Numbers norm;
    private final WeightMatrix head;

    /** A layer's weights; projections and what is added to them as in {@link LlamaGraph#PROJECTIONS}. */
    private record Layer(
            Numbers inputNorm,
            Numbers postAttentionNorm,
            List<WeightMatrix> projections,
            Map<String, LowRank> additions) {}

    /** @param memory earlier tokens are there */
    TokenPass(LanguageModel model, Adapter adapter, DecodingMemory memory) {
        this.config = model.config();
        this.memory = memory;
        this.products = memory.products(model.settings().precision());
        FrozenWeights weights = model.weights();
        for (int i = 0; i < config.layers(); i++) {
            int layer = i;
            layers.add(new Layer(
                    vector(weights.lasting(layer, LlamaGraph.INPUT_NORM)),
                    vector(weights.lasting(layer, LlamaGraph.POST_ATTENTION_NORM)),
                    LlamaGraph.PROJECTIONS.stream()
                            .map(module -> NativeArrays.matrix(weights.lasting(layer, module)))
                            .toList(),
                    adapter.additions(layer).orElseThrow()));
        }
        embedding = NativeArrays.matrix(weights.embedding());
        norm = vector(weights.norm());
        head = NativeArrays.matrix(weights.head());
    }

    /**
     * Runs tokens, and puts their keys and values into the memory.
     *
     * @param rows of the tokens [N]
     * @param tokens [N]
     * @param positions of the tokens in their rows [N]
     * @return the last layer's output [N, D], before the final norm
     */
    float[] run(int[] rows, int[] tokens, int[] positions) {
        int count = tokens.length;
        float[] x = new float[count * config.hiddenSize()];
        for (int i = 0; i < count; i++) {
            if (tokens[i] < 0 || tokens[i] >= embedding.rows()) {
                throw new IllegalArgumentException("token id " + tokens[i] + "; wanted 0 to " + (embedding.rows() - 1));
            }
            embedding.copyRow(tokens[i], x, i * config.hiddenSize());
        }
        Rotation ofQueries = new Rotation(positions, config.querySize());
        Rotation ofKeys = new Rotation(positions, config.keyValueSize());
        // Of one layer after the other: memory that was just written is read faster.
        float[] normed = new float[x.length];
        float[] queries = new float[count * config.querySize()];
        float[] keys = new float[count * config.keyValueSize()];
        float[] values = new float[keys.length];
        float[] mixed = new float[queries.length];
        float[] output = new float[x.length];
        float[] gate = new float[count * config.intermediateSize()];
        float[] up = new float[gate.length];
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            AttentionCache attention = memory.layer(i);
            norm(x, layer.inputNorm, normed);
            project(layer, 0, normed, count, queries, keys, values);
            ofQueries.turn(queries);
            ofKeys.turn(keys);
            store(attention, rows, positions, keys, values);
            attention.attend(rows, positions, queries, mixed, (float) (1 / Math.sqrt(config.headSize())));
            project(layer, 3, mixed, count, output);
            add(output, x);

            norm(x, layer.postAttentionNorm, normed);
            project(layer, 4, normed, count, gate, up);
            Numbers activated = numbers(gate);
            SwiGluKernel.forward(activated, numbers(up), activated, gate.length);
            project(layer, 6, gate, count, output);
            add(output, x);
        }
        return x;
    }

    /** The logits [N][V] of outputs [N, D] of {@link #run}. */
    float[][] logits(float[] x) {
        int count = x.length / config.hiddenSize();
        float[] logits = new float[count * head.rows()];
        float[] normed = new float[x.length];
        norm(x, norm, normed);
        products.run(normed, count, List.of(head), List.of(logits));
        float[][] byToken = new float[count][];
        for (int i = 0; i < count; i++) {
            byToken[i] = Arrays.copyOfRange(logits, i * head.rows(), (i + 1) * head.rows());
        }
        return byToken;
    }

    /** Tokens' keys and values [N, K·h], each head's to its place in the cache. */
    private void store(AttentionCache attention, int[] rows, int[] positions, float[] keys, float[] values) {
        for (int i = 0; i < rows.length; i++) {
            for (int head = 0; head < config.keyValueHeads(); head++) {
                int at = i * config.keyValueSize() + head * config.headSize();
                attention.store(rows[i], head, positions[i], 1, keys, values, at);
            }
        }
    }

    /** The products of x with neighbouring projections of a layer, from {@code first} on, with the adapter's additions. */
    private void project(Layer layer, int first, float[] x, int count, float[]... y) {
        products.run(x, count, layer.projections.subList(first, first + y.length), List.of(y));
        for (int i = 0; i < y.length; i++) {
            LowRank addition = layer.additions.get(LlamaGraph.PROJECTIONS.get(first + i));
            if (addition != null) {
                addition.addTo(x, count, y[i]);
            }
        }
    }

    private static Numbers numbers(float[] values) {
        return Numbers.of(FloatBuffer.wrap(values));
    }

    private void norm(float[] x, Numbers weight, float[] normed) {
        int width = config.hiddenSize();
        RmsNormKernel.forward(
                numbers(x), weight, numbers(normed), null, x.length / width, width, (float) config.rmsNormEps());
    }

    private static void add(float[] from, float[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] += from[i];
        }
    }

    private static Numbers vector(INDArray weight) {
        WeightMatrix row = NativeArrays.matrix(weight);
        float[] values = new float[row.columns()];
        row.copyRow(0, values, 0);
        return numbers(values);
    }

    /** The rotary embedding at some tokens' positions, for rows of a width; of a row of its tables, half a head is used. */
    private final class Rotation {
        private final int width;
        private final float[] cos;
        private final float[] sin;

        Rotation(int[] positions, int width) {
            this.width = width;
            cos = new float[positions.length * width];
            sin = new float[cos.length];
            double[] frequencies = config.inverseFrequencies();
            for (int i = 0; i < positions.length; i++) {
                for (int pair = 0; pair < frequencies.length; pair++) {
                    // As in Rope: the angle is a float.
                    float angle = positions[i] * (float) frequencies[pair];
                    cos[i * width + pair] = (float) Math.cos(angle);
                    sin[i * width + pair] = (float) Math.sin(angle);
                }
            }
        }

        /** Turns x [N, width] in place. */
        void turn(float[] x) {
            Numbers buffer = numbers(x);
            RopeKernel.turn(buffer, numbers(cos), numbers(sin), buffer, x.length / width, width, config.headSize(), 1);
        }
    }
}
