package org.fedlora4j.model;

import org.fedlora4j.model.exec.Kernel;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Token cross-entropy over rows of logits [R, V], -log softmax(logits)[target], and its gradient, in place. SameDiff's own
 * op ignores the gradient that comes from above, and makes several arrays of the logits' size.
 */
interface CrossEntropy {
    /**
     * What a row's logits say of its target.
     *
     * @param loss in nats
     * @param correct whether the target has the largest logit; among equal ones the first counts
     * @param sum what the row's gradient is to be divided by
     */
    record RowScore(double loss, boolean correct, double sum) {}

    /**
     * The loss of logits.
     *
     * @param gradient where {@link #gradient} writes: the logits themselves, or with kernels another array of their shape
     */
    static CrossEntropy over(INDArray logits, INDArray gradient) {
        return Kernel.available() ? new FusedCrossEntropy(logits, gradient) : new PlainCrossEntropy(logits);
    }

    /** Scores the first rows against as many targets. The logits may be overwritten. */
    RowScore[] score(int[] targets);

    /**
     * Scores rows, and turns them into their losses' gradients times {@link RowScore#sum}; rows without target get zero. To
     * scale a row here would cost a pass over it, while what is made from it is narrow.
     */
    RowScore[] gradient(int[] targets);
}
