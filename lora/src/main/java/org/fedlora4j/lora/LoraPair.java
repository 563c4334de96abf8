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
     * The weight with the adapter folded in, {@code W + scale · B · A}; each element is summed in double.
     *
     * @param weight [out, in]
     */
    public Matrix merge(Matrix weight, double scale) {
        if (weight.rows() != out() || weight.columns() != in()) {
            throw new IllegalArgumentException(
                    "weight: " + weight.shape() + ", the adapter wants [" + out() + ", " + in() + "]");
        }
        Matrix merged = weight.copy();
        double[] delta = new double[in()];
        for (int i = 0; i < out(); i++) {
            Arrays.fill(delta, 0);
            for (int k = 0; k < rank(); k++) {
                for (int j = 0; j < in(); j++) {
                    delta[j] += (double) b.get(i, k) * a.get(k, j);
                }
            }
            for (int j = 0; j < in(); j++) {
                int index = i * in() + j;
                merged.values()[index] = (float) (weight.values()[index] + scale * delta[j]);
            }
        }
        return merged;
    }
}
