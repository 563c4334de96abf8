package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;

import jdk.incubator.vector.FloatVector;

/**
 * What a low-rank adapter adds to a product: y += (x·Aᵀ)·Bᵀ. It is small, so the caller's thread does it alone.
 *
 * @param a [rank, in]
 * @param b B transposed, [rank, out], any scale in it
 */
public record LowRank(float[] a, float[] b, int rank) {
    public LowRank {
        if (rank < 1 || a.length % rank != 0 || b.length % rank != 0) {
            throw new IllegalArgumentException(a.length + " and " + b.length + " numbers for a rank of " + rank);
        }
    }

    /**
     * Adds it.
     *
     * @param x [count, in]
     * @param y [count, out], added to
     */
    public void addTo(float[] x, int count, float[] y) {
        int in = a.length / rank;
        int out = b.length / rank;
        float[] sums = new float[LENGTH];
        for (int row = 0; row < count; row++) {
            for (int k = 0; k < rank; k++) {
                addScaledRow(dotRow(x, row * in, k * in, in, sums), k * out, y, row * out, out);
            }
        }
    }

    private float dotRow(float[] x, int at, int aAt, int length, float[] sums) {
        FloatVector products = FloatVector.zero(FLOATS);
        int i = 0;
        for (; i + LENGTH <= length; i += LENGTH) {
            products = load(x, at + i).fma(load(a, aAt + i), products);
        }
        float sum = Lanes.sum(products, sums, 0);
        for (; i < length; i++) {
            sum += x[at + i] * a[aAt + i];
        }
        return sum;
    }

    private void addScaledRow(float factor, int bAt, float[] y, int at, int length) {
        FloatVector factors = FloatVector.broadcast(FLOATS, factor);
        int i = 0;
        for (; i + LENGTH <= length; i += LENGTH) {
            load(b, bAt + i).fma(factors, load(y, at + i)).intoArray(y, at + i);
        }
        for (; i < length; i++) {
            y[at + i] += factor * b[bAt + i];
        }
    }
}
