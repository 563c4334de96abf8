package org.fedlora4j.model;

import org.fedlora4j.kernels.HeadLossKernel;
import org.fedlora4j.kernels.Numbers;
import org.fedlora4j.kernels.RmsNormKernel;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.Precision;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** By kernels, without logits in memory. */
final class FusedHeadLoss implements HeadLoss {
    private final int rows;
    private final int width;
    private final float epsilon;
    private final INDArray x;
    private final Numbers norm;
    private final Numbers normed;
    private final @Nullable Numbers low;
    private final INDArray gradient;
    private final HeadLossKernel.Hidden hidden;
    private final HeadLossKernel kernel;

    /** @param memory what it is computed in */
    FusedHeadLoss(int rows, FrozenWeights weights, double epsilon, Precision precision, NativeMemory memory) {
        this.rows = rows;
        this.epsilon = (float) epsilon;
        width = Math.toIntExact(weights.norm().length());
        x = memory.floats(rows, width);
        x.assign(0);
        gradient = memory.floats(rows, width);
        norm = NativeArrays.numbers(weights.norm());
        kernel = new HeadLossKernel(rows, NativeArrays.matrix(weights.head()));
        INDArray high = memory.array(precision.weights(), rows, width);
        normed = NativeArrays.numbers(high);
        INDArray rest = precision.isWide(width) ? memory.array(precision.weights(), rows, width) : null;
        low = rest == null ? null : NativeArrays.numbers(rest);
        hidden = new HeadLossKernel.Hidden(
                NativeArrays.operand(high, false).type(),
                NativeArrays.address(high),
                rest == null ? 0 : NativeArrays.address(rest));
    }

    @Override
    public INDArray input() {
        return x;
    }

    @Override
    public HeadLossKernel.Row[] score(int[] targets, boolean wantsGradient, double factor) {
        Numbers input = NativeArrays.numbers(x);
        RmsNormKernel.forward(input, norm, normed, low, rows, width, epsilon);
        HeadLossKernel.Row[] scores =
                kernel.score(hidden, targets, wantsGradient ? NativeArrays.buffer(gradient) : null, factor);
        if (wantsGradient) {
            Numbers dx = NativeArrays.numbers(gradient);
            RmsNormKernel.backward(input, norm, dx, null, dx, targets.length, width, epsilon);
        }
        return scores;
    }

    @Override
    public INDArray gradient() {
        return gradient;
    }
}
