package org.fedlora4j.model;

import org.fedlora4j.kernels.HeadLossKernel;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Final norm, head and token cross-entropy of up to N rows, -log softmax(logits)[target], and its gradient. */
interface HeadLoss {
    /** Where the rows are put, [N, D]. */
    INDArray input();

    /**
     * Scores the first rows against as many targets.
     *
     * @param wantsGradient whether {@link #gradient} shall be made, too
     * @param factor what it is multiplied by
     */
    HeadLossKernel.Row[] score(int[] targets, boolean wantsGradient, double factor);

    /** The gradient of (sum of losses) by the rows, [N, D]; what stands there of rows without target has no meaning. */
    INDArray gradient();
}
