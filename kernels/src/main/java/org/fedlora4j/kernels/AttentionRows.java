package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;
import static org.fedlora4j.kernels.Lanes.roundUp;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** What attention does to a row of scores. Rows are as long as whole vectors. */
final class AttentionRows {
    /** A mask below this hides: its softmax is exactly 0 beside any score that is seen. */
    private static final float HIDING = -1e8f;

    private AttentionRows() {}

    /** How many entries of a mask there are up to the last that it shows; all where it shows none. */
    static int seenOfRow(float[] mask, int width) {
        Arrays.fill(mask, width, roundUp(width), Float.NEGATIVE_INFINITY);
        for (int i = roundUp(width) - LENGTH; i >= 0; i -= LENGTH) {
            long shown = load(mask, i).compare(VectorOperators.GT, HIDING).toLong();
            if (shown != 0) {
                return i + Long.SIZE - Long.numberOfLeadingZeros(shown);
            }
        }
        return width;
    }

    /** Whether a mask's first entries are all zero. */
    static boolean isZero(float[] mask, int length) {
        for (int i = 0; i < length; i++) {
            if (mask[i] != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Turns a row's first entries into softmax(scale · row) and the others into 0.
     *
     * @param at where the row begins
     * @param length of the row, a multiple of a vector's
     * @param spare where there is room for a vector, overwritten
     */
    static void softmaxOfRow(float[] rows, int at, int seen, int length, float scale, int spare) {
        int end = at + roundUp(seen);
        Arrays.fill(rows, at + seen, end, Float.NEGATIVE_INFINITY);
        FloatVector largest = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        for (int i = at; i < end; i += LENGTH) {
            FloatVector score = load(rows, i);
            largest = largest.blend(score, score.compare(VectorOperators.GT, largest));
        }
        FloatVector shift = FloatVector.broadcast(FLOATS, -scale * largest.reduceLanes(VectorOperators.MAX));
        FloatVector factor = FloatVector.broadcast(FLOATS, scale);
        FloatVector sums = FloatVector.zero(FLOATS);
        for (int i = at; i < end; i += LENGTH) {
            FloatVector power = Lanes.expUpToLargest(load(rows, i).fma(factor, shift));
            power.intoArray(rows, i);
            sums = sums.add(power);
        }
        float inverse = 1 / Lanes.sum(sums, rows, spare);
        for (int i = at; i < end; i += LENGTH) {
            load(rows, i).mul(inverse).intoArray(rows, i);
        }
        Arrays.fill(rows, end, at + length, 0);
    }

    /**
     * Turns a row of dP into scale · P · (dP - sum(P · dP)); 0 beyond the seen entries.
     *
     * @param weights where the row of P begins
     */
    static void gradientOfRow(float[] rows, int weights, int at, int seen, int length, float scale, int spare) {
        int visible = roundUp(seen);
        Arrays.fill(rows, at + seen, at + length, 0);
        FloatVector products = FloatVector.zero(FLOATS);
        for (int i = 0; i < visible; i += LENGTH) {
            products = load(rows, at + i).fma(load(rows, weights + i), products);
        }
        float sum = Lanes.sum(products, rows, spare);
        FloatVector factor = FloatVector.broadcast(FLOATS, scale);
        for (int i = 0; i < visible; i += LENGTH) {
            load(rows, at + i).sub(sum).mul(load(rows, weights + i).mul(factor)).intoArray(rows, at + i);
        }
    }

    /**
     * Turns a row's first entries into scale · row + other. What follows them in the last vector becomes anything.
     *
     * @param other where the row of summands begins
     */
    static void scaleAndAddToRow(float[] rows, int at, int other, int length, float scale) {
        for (int i = 0; i < length; i += LENGTH) {
            load(rows, at + i).mul(scale).add(load(rows, other + i)).intoArray(rows, at + i);
        }
    }
}
