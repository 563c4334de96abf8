package org.fedlora4j.lora;

import java.util.Arrays;

/** The two matrices of one adapted projection: A [r, in] and B [out, r]. It adds {@code scale · B · A} to the weight. */
public record LoraPair(Matrix a, Matrix b) {
    public LoraPair {
        if (a.rows() != b.columns()) {
            throw new IllegalArgumentException(
                    "A is " + a.shape() + " and B " + b.shape() + "; A's rows and B's columns are both the rank");
        }
    }

    public int rank() {
        return a.rows();
    }

    /** The input size of the projection. */
    public int in() {
        return a.columns();
    }

    /** The output size of the projection. */
    public int out() {
        return b.rows();
    }

    /**
     * The pair with zeros beyond its first {@code rank} components: in rows of A and columns of B. Training leaves these
     * zero, for the gradient of A's row is a multiple of B's column and the other way round, so the pair is a LoRA of that
     * rank with the scale of this one. As clients of a lower rank are padded in HetLoRA (arXiv 2401.06432).
     */
    public LoraPair cutTo(int rank) {
        if (rank >= rank()) {
            return this;
        }
        Matrix cutA = a.copy();
        Arrays.fill(cutA.values(), rank * in(), rank() * in(), 0);
        Matrix cutB = b.copy();
        for (int row = 0; row < out(); row++) {
            Arrays.fill(cutB.values(), row * rank() + rank, (row + 1) * rank(), 0);
        }
        return new LoraPair(cutA, cutB);
    }

    /**
     * The weight with the adapter folded in, {@code W + scale · B · A}; see {@link #addTo}.
     *
     * @param weight [out, in]
     */
    public Matrix merge(Matrix weight, double scale) {
        if (weight.rows() != out() || weight.columns() != in()) {
            throw new IllegalArgumentException(
                    "weight: " + weight.shape() + ", the adapter wants [" + out() + ", " + in() + "]");
        }
        Matrix merged = weight.copy();
        addTo(merged.values(), 0, scale);
        return merged;
    }

    /**
     * Adds {@code scale · B · A} to elements of a weight [out, in]; each is summed in double.
     *
     * @param weights row-major, from the element {@code begin} of the weight on
     */
    public void addTo(float[] weights, long begin, double scale) {
        double[] delta = new double[in()];
        for (int done = 0; done < weights.length; ) {
            int row = (int) ((begin + done) / in());
            int first = (int) ((begin + done) % in());
            int columns = Math.min(in() - first, weights.length - done);
            Arrays.fill(delta, 0, columns, 0);
            for (int k = 0; k < rank(); k++) {
                for (int j = 0; j < columns; j++) {
                    delta[j] += (double) b.get(row, k) * a.get(k, first + j);
                }
            }
            for (int j = 0; j < columns; j++) {
                weights[done + j] = (float) (weights[done + j] + scale * delta[j]);
            }
            done += columns;
        }
    }
}
