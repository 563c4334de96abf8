package org.fedlora4j.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.kernels.AttentionCache;
import org.fedlora4j.kernels.Product;
import org.fedlora4j.kernels.TokenProducts;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.Precision;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What decoding by kernels has in native memory: every layer's keys and values of some texts' tokens, and room
 * for the operands of products.
 */
final class DecodingMemory implements AutoCloseable {
    /** Tokens in one pass at most, unless a batch has more rows: enough to share the reading of weights. */
    static final int PASS = 128;

    private final NativeMemory memory = new NativeMemory();
    private final List<AttentionCache> layers = new ArrayList<>();
    private final LlamaConfig config;
    private final int rows;
    private final int slots;
    private final ByteBuffer input;
    private final ByteBuffer output;

    /** @param slots the longest text's tokens, at most */
    DecodingMemory(LlamaConfig config, int rows, int slots) {
        this.config = config;
        this.rows = rows;
        this.slots = slots;
        long floats = AttentionCache.floats(rows, config.keyValueHeads(), slots, config.headSize());
        for (int layer = 0; layer < config.layers(); layer++) {
            FloatBuffer keys = buffer(memory.floats(floats));
            FloatBuffer values = buffer(memory.floats(floats));
            layers.add(new AttentionCache(keys, values, config.keyValueHeads(), slots, config.headSize()));
        }
        int tokens = Math.max(PASS, rows);
        int widest = Math.max(config.intermediateSize(), Math.max(config.hiddenSize(), config.querySize()));
        long floatsOfPass = TokenProducts.bytes(tokens, widest) / Float.BYTES;
        long floatsOfLogits = TokenProducts.bytes(rows, config.vocabularySize()) / Float.BYTES;
        input = NativeArrays.bytes(memory.floats(floatsOfPass));
        output = NativeArrays.bytes(memory.floats(Math.max(floatsOfPass, floatsOfLogits)));
    }

    /** Products whose operands are here. */
    TokenProducts products(Precision precision) {
        return new TokenProducts(precision == Precision.BF16 ? Product.Type.BF16 : Product.Type.F32, input, output);
    }

    int slots() {
        return slots;
    }

    AttentionCache layer(int layer) {
        return layers.get(layer);
    }

    /**
     * Takes the texts' first tokens in a layer.
     *
     * @param newKeys rotated, [B, K, T, h], of which a row's first {@code lengths} are taken
     * @param newValues the same
     */
    void store(int layer, INDArray newKeys, INDArray newValues, int[] lengths) {
        FloatBuffer allKeys = buffer(newKeys);
        FloatBuffer allValues = buffer(newValues);
        int heads = config.keyValueHeads();
        int size = allKeys.capacity() / (rows * heads);
        float[] keys = new float[size];
        float[] values = new float[size];
        for (int row = 0; row < rows; row++) {
            for (int head = 0; head < heads; head++) {
                int from = (row * heads + head) * size;
                allKeys.get(from, keys);
                allValues.get(from, values);
                layers.get(layer).store(row, head, 0, lengths[row], keys, values, 0);
            }
        }
    }

    /** A larger one with the first {@code count} tokens of each text; this one is closed. */
    DecodingMemory grown(int newSlots, int count) {
        DecodingMemory grown = new DecodingMemory(config, rows, newSlots);
        for (int layer = 0; layer < layers.size(); layer++) {
            grown.layers.get(layer).copy(layers.get(layer), rows, count);
        }
        close();
        return grown;
    }

    /** Overwrites everything, for tests that prove that nothing stale is read. */
    void poison() {
        memory.fill(Float.NaN);
    }

    private static FloatBuffer buffer(INDArray array) {
        return NativeArrays.bytes(array).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    @Override
    public void close() {
        memory.close();
    }
}
