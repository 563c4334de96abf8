package org.fedlora4j.microbench;

/** Who computes, and with what: the columns of the table. */
public enum By {
    /** Our kernels, in float32. */
    KERNEL,
    /** Our products of float32 and weights of bfloat16. */
    BF16_WEIGHTS,
    /** Our kernels on what they read as bfloat16 in a training step of that precision; gradients and sums are float32. */
    BF16,
    /** ND4J's ops, in float32. */
    OPS
}
