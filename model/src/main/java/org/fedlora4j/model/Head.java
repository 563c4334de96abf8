package org.fedlora4j.model;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.ExecutionPlan;
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
    private static final int LARGEST_CHUNK = 128;
    private static final int SMALLEST_CHUNK = 8;

    private final LlamaConfig config;
    private final FrozenWeights weights;
    private final Precision precision;
    private final Map<Integer, Chunk> chunks = new HashMap<>();

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
    List<CrossEntropy.RowScore> score(
            INDArray hidden, int[] rows, int[] targets, @Nullable INDArray gradient, double scale) {
        if (gradient != null) {
            gradient.assign(0);
        }
        FloatBuffer source = NativeArrays.buffer(hidden);
        List<CrossEntropy.RowScore> scores = new ArrayList<>();
        for (int begin = 0; begin < rows.length; begin += LARGEST_CHUNK) {
            int end = Math.min(begin + LARGEST_CHUNK, rows.length);
            int[] chunkTargets = Arrays.copyOfRange(targets, begin, end);
            Chunk chunk = chunk(end - begin);
            chunk.forward(source, rows, begin, end);
            if (gradient == null) {
                Collections.addAll(scores, chunk.loss.score(chunkTargets));
            } else {
                CrossEntropy.RowScore[] chunkScores = chunk.loss.gradient(chunkTargets);
                Collections.addAll(scores, chunkScores);
                chunk.plan.backward();
                scatter(chunk.gradient, chunkScores, scale, NativeArrays.buffer(gradient), rows, begin);
            }
        }
        return scores;
    }

    /** The logits of rows: [rows][V]. */
    float[][] logits(INDArray hidden, int[] rows) {
        FloatBuffer source = NativeArrays.buffer(hidden);
        float[][] logits = new float[rows.length][config.vocabularySize()];
        for (int begin = 0; begin < rows.length; begin += LARGEST_CHUNK) {
            int end = Math.min(begin + LARGEST_CHUNK, rows.length);
            Chunk chunk = chunk(end - begin);
            chunk.forward(source, rows, begin, end);
            for (int i = begin; i < end; i++) {
                NativeArrays.readRow(chunk.logits, i - begin, logits[i]);
            }
        }
        return logits;
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
        chunks.values().forEach(chunk -> chunk.memory.close());
    }

    /** Writes each row's gradient to its place, scaled. */
    private void scatter(
            FloatBuffer from,
            CrossEntropy.RowScore[] scores,
            double scale,
            FloatBuffer gradient,
            int[] rows,
            int begin) {
        float[] row = new float[config.hiddenSize()];
        for (int i = 0; i < scores.length; i++) {
            from.get(i * row.length, row);
            float rowScale = (float) (scale / scores[i].sum());
            for (int column = 0; column < row.length; column++) {
                row[column] *= rowScale;
            }
            gradient.put(rows[begin + i] * row.length, row);
        }
    }

    private Chunk chunk(int rows) {
        int size = SMALLEST_CHUNK;
        while (size < rows) {
            size *= 2;
        }
        return chunks.computeIfAbsent(size, Chunk::new);
    }

    /** The head's plan for a fixed number of rows. */
    private final class Chunk {
        final NativeMemory memory = new NativeMemory();
        final FloatBuffer input;
        final INDArray logits;
        final FloatBuffer gradient;
        final CrossEntropy loss;
        final ExecutionPlan.Bound plan;

        Chunk(int rows) {
            INDArray x = memory.floats(rows, config.hiddenSize());
            x.assign(0);
            input = NativeArrays.buffer(x);
            logits = memory.floats(rows, config.vocabularySize());
            INDArray dx = memory.floats(rows, config.hiddenSize());
            gradient = NativeArrays.buffer(dx);
            // The loss turns the logits into their gradient in place, or writes it as products read it.
            INDArray dLogits = precision == Precision.F32
                    ? logits
                    : memory.array(precision.weights(), rows, config.vocabularySize());
            loss = CrossEntropy.over(logits, dLogits);
            CompiledGraph compiled = CompiledGraph.withGradient(
                    LlamaGraph.head(config, rows, weights.norm(), weights.head(), true),
                    List.of(LlamaGraph.INPUT),
                    precision,
                    false);
            Map<String, INDArray> arrays = new HashMap<>();
            arrays.put(LlamaGraph.INPUT, x);
            arrays.put(LlamaGraph.NORM, weights.norm());
            arrays.put(LlamaGraph.HEAD, weights.head());
            arrays.put(LlamaGraph.OUTPUT, logits);
            arrays.put(LlamaGraph.OUTPUT_GRADIENT, dLogits);
            compiled.gradients().values().forEach(output -> arrays.put(output, dx));
            plan = compiled.plan()
                    .bind(
                            arrays,
                            memory.arena(compiled.plan().savedBytes()),
                            0,
                            memory.arena(compiled.plan().temporaryBytes()));
        }

        /** The logits of some rows; rows that follow each other are copied together. */
        void forward(FloatBuffer hidden, int[] rows, int begin, int end) {
            int width = config.hiddenSize();
            int run;
            for (int i = begin; i < end; i += run) {
                run = 1;
                while (i + run < end && rows[i + run] == rows[i] + run) {
                    run++;
                }
                input.put((i - begin) * width, hidden, rows[i] * width, run * width);
            }
            plan.forward();
        }
    }
}
