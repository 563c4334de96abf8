package org.fedlora4j.model;

import java.nio.FloatBuffer;
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
 * By the head's graph and ND4J's softmax, in float32: where there are no kernels, and their control in tests. SameDiff's own
 * op for the loss ignores the gradient that comes from above, and makes several arrays of the logits' size.
 *
 * <p>ND4J's softmax sums in float: over 49,152 tokens its probabilities add up to 1.0001. Their ratios are right, so the
 * true sum, taken in double, corrects both the loss and the gradient.
 */
final class PlannedHeadLoss implements HeadLoss {
    private final FloatBuffer input;
    private final FloatBuffer gradient;
    /** [N, V], which the gradient takes the place of. */
    private final INDArray logits;

    private final ExecutionPlan.Bound plan;
    private final float[] row;
    private final DynamicCustomOp softmax = DynamicCustomOp.builder("softmax").build();
    private final OpContext inPlace = Nd4j.getExecutioner().buildContext();

    /** @param memory what it is computed in */
    PlannedHeadLoss(int rows, FrozenWeights weights, LlamaConfig config, NativeMemory memory) {
        INDArray x = memory.floats(rows, config.hiddenSize());
        x.assign(0);
        input = NativeArrays.buffer(x);
        INDArray dx = memory.floats(rows, config.hiddenSize());
        gradient = NativeArrays.buffer(dx);
        logits = memory.floats(rows, config.vocabularySize());
        row = new float[config.vocabularySize()];
        inPlace.setInputArray(0, logits);
        inPlace.setOutputArray(0, logits);
        CompiledGraph compiled = CompiledGraph.withGradient(
                LlamaGraph.head(config, rows, weights.norm(), weights.head(), true),
                List.of(LlamaGraph.INPUT),
                Precision.F32,
                false);
        Map<String, INDArray> arrays = new HashMap<>();
        arrays.put(LlamaGraph.INPUT, x);
        arrays.put(LlamaGraph.NORM, weights.norm());
        arrays.put(LlamaGraph.HEAD, weights.head());
        arrays.put(LlamaGraph.OUTPUT, logits);
        arrays.put(LlamaGraph.OUTPUT_GRADIENT, logits);
        compiled.gradients().values().forEach(output -> arrays.put(output, dx));
        plan = compiled.bind(arrays, memory);
    }

    @Override
    public FloatBuffer input() {
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
                logits.putScalar(i, targets[i], logits.getFloat(i, targets[i]) - sum);
                logits.getRow(i).muli(factor / sum);
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

    @Override
    public FloatBuffer gradient() {
        return gradient;
    }
}
