package org.fedlora4j.model;

/** What a training step keeps from the forward to the backward pass; what it does not keep it computes again. */
public enum Recompute {
    /** Keeps every layer's activations: fastest, most memory. */
    NONE,
    /** Keeps all but the attention weights, which grow with the square of the tokens (arXiv 2205.14135). */
    ATTENTION,
    /** Keeps the layers' inputs alone and runs each layer forward again before its backward pass (arXiv 1604.06174). */
    LAYER
}
