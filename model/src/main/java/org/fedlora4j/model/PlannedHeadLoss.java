package org.fedlora4j.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.kernels.HeadLossKernel;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.ExecutionPlan;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.Precision;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.factory.Nd4j;

/**
 * By the head's graph and ND4J's softmax: where there are no kernels, and their control in tests. SameDiff's own
 * op for the loss ignores the gradient that comes from above, and makes several arrays of the logits' size.
 *
 * <p>ND4J's softmax sums in float: over 49,152 tokens its probabilities add up to 1.0001. Their ratios are right, so the
 * true sum, taken in double, corrects both the loss and the gradient.
 */
final class PlannedHeadLoss implements HeadLoss {
    private final INDArray input;
    private final INDArray gradient;
    /** [N, V], which the gradient takes the place of. */
    private final INDArray logits;

    private final ExecutionPlan.Bound plan;
    private final float[] row;
    private final DynamicCustomOp softmax = DynamicCustomOp.builder("softmax").build();
    private final OpContext inPlace = Nd4j.getExecutioner().buildContext();

    /** @param memory what it is computed in */
    PlannedHeadLoss(int rows, FrozenWeights weights, LlamaConfig config, Precision precision, NativeMemory memory) {
        input = memory.floats(rows, config.hiddenSize());
        input.assign(0);
        gradient = memory.floats(rows, config.hiddenSize());
        logits = memory.floats(rows, config.vocabularySize());
        row = new float[config.vocabularySize()];
        inPlace.setInputArray(0, logits);
        inPlace.setOutputArray(0, logits);
        CompiledGraph compiled = CompiledGraph.withGradient(
                LlamaGraph.head(config, rows, weights.norm(), weights.head(), true),
                List.of(LlamaGraph.INPUT),
                precision,
                false);
        Map<String, INDArray> arrays = new HashMap<>();
        arrays.put(LlamaGraph.INPUT, input);
        arrays.put(LlamaGraph.NORM, weights.norm());
        arrays.put(LlamaGraph.HEAD, weights.head());
        arrays.put(LlamaGraph.OUTPUT, logits);
        arrays.put(LlamaGraph.OUTPUT_GRADIENT, logits);
        compiled.gradients().values().forEach(output -> arrays.put(output, gradient));
        plan = compiled.bind(arrays, memory);
    }

    @Override
    public INDArray input() {
        return input;
    }

    @Override
    public HeadLossKernel.Row[] score(int[] targets, boolean wantsGradient, double factor) {
        plan.forward();
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
        HeadLossKernel.Row[] scores = new HeadLossKernel.Row[targets.length];
        for (int i = 0; i < targets.length; i++) {
            NativeArrays.readRow(logits, i, row);
            double sum = 0;
            for (float power : row) {
                sum += power;
            }
            // The target's own probability may underflow; the largest is at least 1/V.
            scores[i] = new HeadLossKernel.Row(margin[i] - Math.log(row[best[i]] / sum), best[i] == targets[i]);
            if (wantsGradient) {
                writeGradient(i, targets[i], sum, (float) (factor / sum));
            }
        }
        if (wantsGradient) {
            for (int i = targets.length; i < logits.size(0); i++) {
                logits.getRow(i).assign(0);
            }
            plan.backward();
        }
        return scores;
    }

    /** Puts factor · (softmax - onehot) in the place of a row of the softmax, which is in {@link #row}, unnormalised. */
    private void writeGradient(int i, int target, double sum, float factorOfSum) {
        row[target] = (float) (row[target] - sum);
        for (int token = 0; token < row.length; token++) {
            row[token] *= factorOfSum;
        }
        NativeArrays.writeAt(row, logits, (long) i * row.length);
    }

    @Override
    public INDArray gradient() {
        return gradient;
    }
}
