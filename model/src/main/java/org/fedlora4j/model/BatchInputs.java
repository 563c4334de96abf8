package org.fedlora4j.model;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.nn.Rope;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Writes what the graphs read about a batch: token ids, mask and rotation tables. Tokens stand at their own positions
 * until {@link #write(int[], int[], float[][])} says otherwise.
 */
final class BatchInputs {
    /** Added to the score of a position that a token may not see; its softmax is exactly 0. */
    static final float MASKED = -1e9f;

    private final LlamaConfig config;
    private final LlamaGraph.LayerShape shape;
    private final INDArray ids;
    private final INDArray mask;
    private final List<INDArray> rotation;

    /**
     * @param ids [N], int32
     * @param arrays the mask [B, 1, T, S + T] and the rotation tables, by name
     */
    BatchInputs(LlamaConfig config, LlamaGraph.LayerShape shape, INDArray ids, Map<String, INDArray> arrays) {
        this.config = config;
        this.shape = shape;
        this.ids = ids;
        this.mask = Objects.requireNonNull(arrays.get(LlamaGraph.MASK));
        this.rotation = LlamaGraph.ROTATION.stream()
                .map(name -> Objects.requireNonNull(arrays.get(name)))
                .toList();
        int[] positions = new int[shape.rows()];
        for (int row = 0; row < positions.length; row++) {
            positions[row] = row % shape.tokens();
        }
        writeRotation(positions);
    }

    /**
     * Writes a batch's ids, padded, and what each token may see.
     *
     * @param batch at most [B, T]
     */
    void write(TokenBatch batch) {
        int tokens = shape.tokens();
        int[] padded = new int[shape.rows()];
        float[] hidden = new float[shape.batch() * tokens * tokens];
        for (int row = 0; row < shape.batch(); row++) {
            // A missing row is one of padding alone; it sees itself, so that nothing divides by zero.
            int[] source = row < batch.rows() ? batch.ids()[row] : new int[] {batch.padId()};
            for (int position = 0; position < tokens; position++) {
                int id = position < source.length ? source[position] : batch.padId();
                if (id < 0 || id >= config.vocabularySize()) {
                    throw new IllegalArgumentException("token id " + id + " at row " + row + ", position " + position
                            + "; wanted 0 to " + (config.vocabularySize() - 1));
                }
                padded[row * tokens + position] = id;
                int seen = Math.min(position + 1, source.length);
                int begin = (row * tokens + position) * tokens;
                Arrays.fill(hidden, begin + seen, begin + tokens, MASKED);
            }
        }
        NativeArrays.write(padded, ids);
        NativeArrays.write(hidden, mask);
    }

    /**
     * Writes one token of each row.
     *
     * @param tokens [B]
     * @param positions of these tokens [B]
     * @param masks [B][S + 1], what each row may see: the slots of earlier tokens and the token itself
     */
    void write(int[] tokens, int[] positions, float[][] masks) {
        NativeArrays.write(tokens, ids);
        writeRotation(positions);
        for (int row = 0; row < masks.length; row++) {
            NativeArrays.writeAt(masks[row], mask, (long) row * masks[row].length);
        }
    }

    private void writeRotation(int[] positions) {
        for (int i = 0; i < rotation.size(); i += 2) {
            Rope.fillTables(
                    positions,
                    config.inverseFrequencies(),
                    i == 0 ? config.heads() : config.keyValueHeads(),
                    rotation.get(i),
                    rotation.get(i + 1));
        }
    }
}
