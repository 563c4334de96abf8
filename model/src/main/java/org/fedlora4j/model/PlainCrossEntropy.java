package org.fedlora4j.model;

import org.fedlora4j.model.exec.NativeArrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.factory.Nd4j;

/**
 * By ND4J's softmax, where there is no Vector API; the kernel's control in tests.
 *
 * <p>ND4J's softmax sums in float: over 49,152 tokens its probabilities add up to 1.0001. Their ratios are right, so the
 * true sum, taken in double, corrects both the loss and the gradient.
 */
final class PlainCrossEntropy implements CrossEntropy {
    private final INDArray logits;
    private final float[] row;
    private final DynamicCustomOp softmax = DynamicCustomOp.builder("softmax").build();
    private final OpContext inPlace = Nd4j.getExecutioner().buildContext();

    PlainCrossEntropy(INDArray logits) {
        this.logits = logits;
        this.row = new float[Math.toIntExact(logits.size(1))];
        inPlace.setInputArray(0, logits);
        inPlace.setOutputArray(0, logits);
    }

    @Override
    public RowScore[] score(int[] targets) {
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
            NativeArrays.readRow(logits, i, row);
            double sum = sum(row);
            // The target's own probability may underflow; the largest is at least 1/V.
            scores[i] = new RowScore(margin[i] - Math.log(row[best[i]] / sum), best[i] == targets[i], sum);
        }
        return scores;
    }

    @Override
    public RowScore[] gradient(int[] targets) {
        RowScore[] scores = score(targets);
        for (int i = 0; i < targets.length; i++) {
            logits.putScalar(i, targets[i], logits.getFloat(i, targets[i]) - scores[i].sum());
        }
        for (int i = targets.length; i < logits.size(0); i++) {
            logits.getRow(i).assign(0);
        }
        return scores;
    }

    /** Four sums at a time, as one would wait for each addition. */
    private static double sum(float[] values) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i + 4 <= values.length; i += 4) {
            a += values[i];
            b += values[i + 1];
            c += values[i + 2];
            d += values[i + 3];
        }
        for (; i < values.length; i++) {
            a += values[i];
        }
        return (a + b) + (c + d);
    }
}
