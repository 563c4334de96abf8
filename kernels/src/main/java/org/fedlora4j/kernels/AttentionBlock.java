package org.fedlora4j.kernels;

import java.nio.FloatBuffer;
import org.fedlora4j.kernels.AttentionKernel.Dimensions;

/**
 * A member's matrices for a block of queries of {@link AttentionKernel}, and what is done to them between products: scores,
 * their gradients, and weights and the scores' gradients as products read them. A row is as long as whole vectors.
 */
final class AttentionBlock {
    /** Rows that are worked on at a time. */
    private static final int ROWS = 8;

    private static final NativeBlock[] MEMORY = NativeBlock.forTeam();

    /** Addresses. */
    final long scores;

    final long gradients;
    final long weights;
    final long scoreGradients;

    private final boolean bf16;
    private final int member;
    private final int tokens;
    private final float scale;
    /** Elements of a row. */
    private final int stride;

    /**
     * A block of a head's queries.
     *
     * @param width how many positions it sees
     * @param kept where its weights are kept, or 0
     */
    AttentionBlock(Dimensions d, boolean bf16, int width, long kept, int member) {
        this.bf16 = bf16;
        this.member = member;
        tokens = d.tokens();
        scale = (float) (1 / Math.sqrt(d.headSize()));
        stride = Lanes.roundUp(width);
        int bytes = bf16 ? Short.BYTES : Float.BYTES;
        long size = (long) AttentionKernel.BLOCK * Lanes.roundUp(tokens);
        scores = MEMORY[member].address(size * (2L * Float.BYTES + 2L * bytes));
        gradients = scores + size * Float.BYTES;
        scoreGradients = gradients + size * Float.BYTES;
        weights = kept == 0 ? scoreGradients + size * bytes : kept;
    }

    /** Makes weights from scores, a few rows at a time so that they stay in the first cache level. */
    void makeWeights(FloatBuffer mask, Visible visible, int firstRow, int rows) {
        Numbers from = numbers(scores, rows, false);
        Numbers to = numbers(weights, rows, bf16);
        float[] floats = Scratch.floats(member, ROWS * stride + stride + Lanes.LENGTH);
        for (int begin = 0; begin < rows; begin += ROWS) {
            int count = Math.min(ROWS, rows - begin);
            from.get(begin * stride, floats, 0, count * stride, member);
            softmax(floats, mask, visible, firstRow + begin, count, ROWS * stride);
            to.put(begin * stride, floats, 0, count * stride, member);
        }
    }

    /** Makes the scores' gradients from the weights, or from scores, and the weights' gradients. */
    void makeScoreGradients(FloatBuffer mask, Visible visible, int firstRow, int rows, boolean fromScores) {
        Numbers weightRows = numbers(weights, rows, bf16);
        Numbers scoreRows = numbers(scores, rows, false);
        Numbers gradientRows = numbers(gradients, rows, false);
        Numbers to = numbers(scoreGradients, rows, bf16);
        int chunk = ROWS * stride;
        float[] floats = Scratch.floats(member, 2 * chunk + stride + Lanes.LENGTH);
        for (int begin = 0; begin < rows; begin += ROWS) {
            int count = Math.min(ROWS, rows - begin);
            if (fromScores) {
                scoreRows.get(begin * stride, floats, 0, count * stride, member);
                softmax(floats, mask, visible, firstRow + begin, count, 2 * chunk);
                weightRows.put(begin * stride, floats, 0, count * stride, member);
            } else {
                weightRows.get(begin * stride, floats, 0, count * stride, member);
            }
            gradientRows.get(begin * stride, floats, chunk, count * stride, member);
            for (int i = 0; i < count; i++) {
                int seen = visible.seen()[firstRow + begin + i];
                int at = i * stride;
                AttentionRows.gradientOfRow(floats, at, chunk + at, seen, stride, scale, 2 * chunk + stride);
            }
            to.put(begin * stride, floats, chunk, count * stride, member);
        }
    }

    private void softmax(float[] floats, FloatBuffer mask, Visible visible, int firstRow, int count, int spare) {
        for (int i = 0; i < count; i++) {
            int row = firstRow + i;
            int seen = visible.seen()[row];
            if (visible.plain()[row]) {
                AttentionRows.softmaxOfRow(floats, i * stride, seen, stride, scale, spare + stride);
            } else {
                mask.get(row * tokens, floats, spare, seen);
                AttentionRows.scaleAndAddToRow(floats, i * stride, spare, seen, scale);
                AttentionRows.softmaxOfRow(floats, i * stride, seen, stride, 1, spare + stride);
            }
        }
    }

    private Numbers numbers(long address, int rows, boolean narrow) {
        long elements = (long) rows * stride;
        return narrow ? NativeBlock.bf16(address, elements) : NativeBlock.floats(address, elements);
    }
}
