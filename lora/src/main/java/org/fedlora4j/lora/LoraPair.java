package org.fedlora4j.lora;

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
}
