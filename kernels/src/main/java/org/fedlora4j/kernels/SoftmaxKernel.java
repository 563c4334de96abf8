package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.roundUp;

import java.util.Arrays;

/**
 * Masked softmax over attention scores and its gradient, P = softmax(scale · S + mask), a row at a time. What the mask hides
 * at a row's end, about half of a causal mask, is not computed but written as 0.
 */
public final class SoftmaxKernel {
    private SoftmaxKernel() {}

    /**
     * The weights.
     *
     * @param scores [batch, heads, tokens, width]
     * @param mask [batch, 1, tokens, width], 0 or very negative
     * @param weights [batch, heads, tokens, width], overwritten; may be {@code scores}
     */
    public static void forward(
            Numbers scores, Numbers mask, Numbers weights, int batch, int heads, int tokens, int width, float scale) {
        Team.run(batch * heads * tokens, tokens, (from, to, member) -> {
            int padded = roundUp(width);
            float[] scratch = Scratch.floats(member, 2 * padded + LENGTH);
            for (int row = from; row < to; row++) {
                int batchRow = row / (heads * tokens);
                mask.get((batchRow * tokens + row % tokens) * width, scratch, 0, width, member);
                int seen = AttentionRows.seenOfRow(scratch, width);
                scores.get(row * width, scratch, padded, seen, member);
                AttentionRows.scaleAndAddToRow(scratch, padded, 0, seen, scale);
                AttentionRows.softmaxOfRow(scratch, padded, seen, padded, 1, 2 * padded);
                weights.put(row * width, scratch, padded, width, member);
            }
        });
    }

    /**
     * The gradient by the scores: dS = scale · P · (dP - sum(P · dP)).
     *
     * @param weights P [rows, width]
     * @param gradient dP [rows, width]
     * @param result [rows, width], overwritten; may be {@code gradient}
     */
    public static void backward(Numbers weights, Numbers gradient, Numbers result, int rows, int width, float scale) {
        Team.run(rows, 1, (from, to, member) -> {
            int padded = roundUp(width);
            float[] scratch = Scratch.floats(member, 2 * padded + LENGTH);
            for (int row = from; row < to; row++) {
                weights.get(row * width, scratch, 0, width, member);
                Arrays.fill(scratch, width, padded, 0);
                gradient.get(row * width, scratch, padded, width, member);
                AttentionRows.gradientOfRow(scratch, 0, padded, width, padded, scale, 2 * padded);
                result.put(row * width, scratch, padded, width, member);
            }
        });
    }
}
