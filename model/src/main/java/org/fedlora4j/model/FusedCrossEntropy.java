package org.fedlora4j.model;

import java.util.Arrays;
import org.fedlora4j.kernels.CrossEntropyKernel;
import org.fedlora4j.kernels.Numbers;
import org.fedlora4j.model.exec.NativeArrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/** By the kernel. */
final class FusedCrossEntropy implements CrossEntropy {
    private final Numbers logits;
    private final Numbers gradient;
    private final int vocabulary;

    FusedCrossEntropy(INDArray logits, INDArray gradient) {
        this.logits = NativeArrays.numbers(logits);
        this.gradient = NativeArrays.numbers(gradient);
        this.vocabulary = Math.toIntExact(logits.size(1));
    }

    @Override
    public RowScore[] score(int[] targets) {
        return scores(CrossEntropyKernel.score(logits, vocabulary, targets, null));
    }

    @Override
    public RowScore[] gradient(int[] targets) {
        return scores(CrossEntropyKernel.score(logits, vocabulary, targets, gradient));
    }

    private static RowScore[] scores(CrossEntropyKernel.Row[] rows) {
        return Arrays.stream(rows)
                .map(row -> new RowScore(row.loss(), row.correct(), row.sum()))
                .toArray(RowScore[]::new);
    }
}
