package org.fedlora4j.model;

import org.fedlora4j.model.exec.NativeArrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Token cross-entropy over rows of logits [R, V], -log softmax(logits)[target], and its gradient, in place. SameDiff's own
 * op ignores the gradient that comes from above, and makes several arrays of the logits' size.
 */
final class CrossEntropy {
    /** What a row's logits say of its target: its loss, and whether it has the largest logit. */
    record RowScore(double loss, boolean correct) {}

    private final INDArray logits;
    private final float[] row;
    private final DynamicCustomOp softmax = DynamicCustomOp.builder("softmax").build();
    private final OpContext inPlace = Nd4j.getExecutioner().buildContext();

    CrossEntropy(INDArray logits) {
        this.logits = logits;
        this.row = new float[Math.toIntExact(logits.size(1))];
        inPlace.setInputArray(0, logits);
        inPlace.setOutputArray(0, logits);
    }

    /** Scores the first rows against as many targets. The logits become probabilities. */
    RowScore[] score(int[] targets) {
        int[] best = new int[targets.length];
        float[] margin = new float[targets.length];
        for (int i = 0; i < targets.length; i++) {
            NativeArrays.readRow(logits, i, row);
            for (int token = 1; token < row.length; token++) {
                if (row[token] > row[best[i]]) {
                    best[i] = token;
                }
            }
            margin[i] = row[best[i]] - row[targets[i]];
        }
        Nd4j.getExecutioner().exec(softmax, inPlace);
        RowScore[] scores = new RowScore[targets.length];
        for (int i = 0; i < targets.length; i++) {
            // The target's own probability may underflow; the largest is at least 1/V.
            scores[i] = new RowScore(margin[i] - Math.log(logits.getFloat(i, best[i])), best[i] == targets[i]);
        }
        return scores;
    }

    /** After {@link #score}, turns probabilities into the gradient of the sum of losses; rows without target get zero. */
    void gradient(int[] targets) {
        for (int i = 0; i < targets.length; i++) {
            logits.putScalar(i, targets[i], logits.getFloat(i, targets[i]) - 1);
        }
        for (int i = targets.length; i < logits.size(0); i++) {
            logits.getRow(i).assign(0);
        }
    }
}
