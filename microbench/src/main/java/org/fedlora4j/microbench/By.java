package org.fedlora4j.microbench;

/** Who computes. */
public enum By {
    /** Ours. */
    KERNEL,
    /** ND4J's. */
    OPS
}
