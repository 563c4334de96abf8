package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;
import static org.fedlora4j.kernels.Lanes.roundUp;

import java.nio.FloatBuffer;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Masked softmax over attention scores and its gradient, P = softmax(scale · S + mask), a row at a time. What the mask hides
 * at a row's end, about half of a causal mask, is not computed but written as 0.
 */
public final class SoftmaxKernel {
    /** A mask below this hides: its softmax is exactly 0 beside any score that is seen. */
    private static final float HIDING = -1e8f;

    private SoftmaxKernel() {}

    /**
     * The weights.
     *
     * @param scores [batch, heads, tokens, width]
     * @param mask [batch, 1, tokens, width], 0 or very negative
     * @param weights [batch, heads, tokens, width], overwritten; may be {@code scores}
     */
    public static void forward(
            FloatBuffer scores,
            FloatBuffer mask,
            FloatBuffer weights,
            int batch,
            int heads,
            int tokens,
            int width,
            float scale) {
        Team.run(batch * heads * tokens, tokens, (from, to, member) -> {
            int padded = roundUp(width);
            float[] scratch = Scratch.floats(member, 2 * padded);
            for (int row = from; row < to; row++) {
                int batchRow = row / (heads * tokens);
                mask.get((batchRow * tokens + row % tokens) * width, scratch, padded, width);
                int seen = seen(scratch, padded, width);
                scores.get(row * width, scratch, 0, seen);
                softmaxOfRow(scratch, seen, padded, scale);
                Arrays.fill(scratch, seen, width, 0);
                weights.put(row * width, scratch, 0, width);
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
    public static void backward(
            FloatBuffer weights, FloatBuffer gradient, FloatBuffer result, int rows, int width, float scale) {
        Team.run(rows, 1, (from, to, member) -> {
            int padded = roundUp(width);
            float[] scratch = Scratch.floats(member, 2 * padded + LENGTH);
            for (int row = from; row < to; row++) {
                weights.get(row * width, scratch, padded, width);
                int last = lastNonZero(scratch, padded, width);
                gradient.get(row * width, scratch, 0, last);
                Arrays.fill(scratch, last, padded, 0);
                Arrays.fill(scratch, padded + width, 2 * padded, 0);
                gradientOfRow(scratch, last, padded, 2 * padded, scale);
                result.put(row * width, scratch, 0, width);
            }
        });
    }

    /** In place, the softmax of the first {@code seen} entries, whose mask begins at {@code mask}. */
    private static void softmaxOfRow(float[] values, int seen, int mask, float scale) {
        int end = roundUp(seen);
        // Lanes beyond the row's end hold no scores: hidden, they become 0.
        Arrays.fill(values, seen, end, 0);
        Arrays.fill(values, mask + seen, mask + end, Float.NEGATIVE_INFINITY);
        FloatVector largest = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < end; i += LENGTH) {
            FloatVector score = load(values, i).mul(scale).add(load(values, mask + i));
            score.intoArray(values, i);
            largest = largest.blend(score, score.compare(VectorOperators.GT, largest));
        }
        float maximum = largest.reduceLanes(VectorOperators.MAX);
        FloatVector sums = FloatVector.zero(FLOATS);
        for (int i = 0; i < end; i += LENGTH) {
            FloatVector power = Lanes.exp(load(values, i).sub(maximum));
            power.intoArray(values, i);
            sums = sums.add(power);
        }
        float inverse = 1 / Lanes.sum(sums, values, mask);
        for (int i = 0; i < end; i += LENGTH) {
            load(values, i).mul(inverse).intoArray(values, i);
        }
    }

    private static void gradientOfRow(float[] values, int last, int weights, int spare, float scale) {
        FloatVector products = FloatVector.zero(FLOATS);
        for (int i = 0; i < last; i += LENGTH) {
            products = load(values, i).fma(load(values, weights + i), products);
        }
        float sum = Lanes.sum(products, values, spare);
        for (int i = 0; i < last; i += LENGTH) {
            load(values, i).sub(sum).mul(load(values, weights + i)).mul(scale).intoArray(values, i);
        }
    }

    /** How many entries there are up to the last that the mask shows; all where it shows none. */
    private static int seen(float[] values, int mask, int width) {
        for (int i = width; i > 0; i--) {
            if (values[mask + i - 1] > HIDING) {
                return i;
            }
        }
        return width;
    }

    private static int lastNonZero(float[] values, int begin, int width) {
        int last = width;
        while (last > 0 && values[begin + last - 1] == 0) {
            last--;
        }
        return last;
    }
}
