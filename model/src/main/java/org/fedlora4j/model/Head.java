package org.fedlora4j.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.kernels.HeadLossKernel;
import org.fedlora4j.kernels.Product;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.ExecutionPlan;
import org.fedlora4j.model.exec.Kernel;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.Precision;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Final norm, head and loss, for chosen rows only: in a batch of instructions most positions have no target, and logits
 * are the widest thing of all. Rows are taken in chunks, so that memory does not grow with the batch.
 */
final class Head implements AutoCloseable {
    private static final int LARGEST_CHUNK = 256;
    private static final int SMALLEST_CHUNK = 8;

    private final LlamaConfig config;
    private final FrozenWeights weights;
    private final Precision precision;
    private final NativeMemory memory = new NativeMemory();
    private final Map<Integer, HeadLoss> losses = new HashMap<>();
    private final Map<Integer, Logits> logits = new HashMap<>();

    Head(LlamaConfig config, FrozenWeights weights, Precision precision) {
        this.precision = precision;
        this.config = config;
        this.weights = weights;
    }

    /**
     * Scores rows against their targets.
     *
     * @param hidden [N, D], before the final norm
     * @param rows the rows to score
     * @param targets the target id of each of them
     * @param gradient [N, D], overwritten by the gradient of scale · (sum of losses) by {@code hidden}; null for none
     */
    List<HeadLossKernel.Row> score(
            INDArray hidden, int[] rows, int[] targets, @Nullable INDArray gradient, double scale) {
        if (gradient != null) {
            gradient.assign(0);
        }
        List<HeadLossKernel.Row> scores = new ArrayList<>();
        for (int begin = 0; begin < rows.length; begin += LARGEST_CHUNK) {
            int end = Math.min(begin + LARGEST_CHUNK, rows.length);
            HeadLoss loss = losses.computeIfAbsent(size(end - begin), this::loss);
            gather(hidden, rows, begin, end, loss.input());
            Collections.addAll(scores, loss.score(Arrays.copyOfRange(targets, begin, end), gradient != null, scale));
            if (gradient != null) {
                scatter(loss.gradient(), rows, begin, end, gradient);
            }
        }
        return scores;
    }

    /** The logits of rows: [rows][V]. */
    float[][] logits(INDArray hidden, int[] rows) {
        float[][] found = new float[rows.length][config.vocabularySize()];
        for (int begin = 0; begin < rows.length; begin += LARGEST_CHUNK) {
            int end = Math.min(begin + LARGEST_CHUNK, rows.length);
            Logits chunk = logits.computeIfAbsent(size(end - begin), Logits::new);
            gather(hidden, rows, begin, end, chunk.input);
            chunk.plan.forward();
            for (int i = begin; i < end; i++) {
                NativeArrays.readRow(chunk.output, i - begin, found[i]);
            }
        }
        return found;
    }

    /** Rows [N][D] after the final norm. */
    float[][] normed(float[][] rows) {
        float[] weight = weights.norm().toFloatVector();
        float[][] normed = new float[rows.length][weight.length];
        for (int row = 0; row < rows.length; row++) {
            double squares = 0;
            for (float value : rows[row]) {
                squares += (double) value * value;
            }
            double scale = 1 / Math.sqrt(squares / weight.length + config.rmsNormEps());
            for (int i = 0; i < weight.length; i++) {
                normed[row][i] = (float) (rows[row][i] * scale * weight[i]);
            }
        }
        return normed;
    }

    @Override
    public void close() {
        memory.close();
    }

    private HeadLoss loss(int rows) {
        return Kernel.available() && Product.failure() == null
                ? new FusedHeadLoss(rows, weights, config.rmsNormEps(), precision, memory)
                : new PlannedHeadLoss(rows, weights, config, precision, memory);
    }

    /** Few sizes, so that there are few plans. */
    private static int size(int rows) {
        int size = SMALLEST_CHUNK;
        while (size < rows) {
            size *= 2;
        }
        return size;
    }

    /** Copies rows; those that follow each other are copied together. */
    private void gather(INDArray hidden, int[] rows, int begin, int end, INDArray to) {
        long width = config.hiddenSize();
        int run;
        for (int i = begin; i < end; i += run) {
            run = 1;
            while (i + run < end && rows[i + run] == rows[i] + run) {
                run++;
            }
            NativeArrays.copy(hidden, rows[i] * width, to, (i - begin) * width, run * width);
        }
    }

    /** The other way: each row to its place. */
    private void scatter(INDArray made, int[] rows, int begin, int end, INDArray gradient) {
        long width = config.hiddenSize();
        for (int i = begin; i < end; i++) {
            NativeArrays.copy(made, (i - begin) * width, gradient, rows[i] * width, width);
        }
    }

    /** The head's plan for a fixed number of rows. */
    private final class Logits {
        final INDArray input;
        final INDArray output;
        final ExecutionPlan.Bound plan;

        Logits(int rows) {
            input = memory.floats(rows, config.hiddenSize());
            input.assign(0);
            output = memory.floats(rows, config.vocabularySize());
            CompiledGraph compiled = CompiledGraph.forward(
                    LlamaGraph.head(config, rows, weights.norm(), weights.head(), false),
                    List.of(LlamaGraph.OUTPUT),
                    precision);
            Map<String, INDArray> arrays = Map.of(
                    LlamaGraph.INPUT,
                    input,
                    LlamaGraph.NORM,
                    weights.norm(),
                    LlamaGraph.HEAD,
                    weights.head(),
                    LlamaGraph.OUTPUT,
                    output);
            plan = compiled.bind(arrays, memory);
        }
    }
}
