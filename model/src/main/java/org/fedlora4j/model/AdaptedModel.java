package org.fedlora4j.model;

import java.util.Arrays;
import java.util.List;
import org.fedlora4j.kernels.HeadLossKernel;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen model with an adapter: scores, gradients, logits and text. The adapter's variables are read anew on every call,
 * so that whoever owns them may change their values between calls.
 */
public final class AdaptedModel implements AutoCloseable {
    private final LanguageModel model;
    private final Adapter adapter;

    AdaptedModel(LanguageModel model, Adapter adapter) {
        this.model = model;
        this.adapter = adapter;
    }

    /** Scores each row of a batch on its own targets. */
    public List<Score> score(TokenBatch batch) {
        return score(batch, null);
    }

    /**
     * Runs a training step's forward and backward pass. The loss is the mean over the batch's targets; its gradients are
     * left in the adapter's arrays.
     *
     * @return the batch's score before any update
     * @throws IllegalArgumentException if the batch has no target
     */
    public Score gradients(TokenBatch batch) {
        if (batch.targets() == 0) {
            throw new IllegalArgumentException("a batch without targets has no loss");
        }
        BatchPlan plan = plan(batch, true);
        Score total = score(batch, plan).stream().reduce(Score.ZERO, Score::plus);
        plan.backward();
        return total;
    }

    /** The logits at every position: [rows][tokens of the longest row][V], padding computed as the tokens it is. */
    public float[][][] logits(TokenBatch batch) {
        int[] rows = allRows(batch);
        float[][] flat = model.head().logits(plan(batch, false).forward(batch, BatchPlan.LayerListener.NONE), rows);
        float[][][] logits = new float[batch.rows()][][];
        for (int row = 0; row < logits.length; row++) {
            logits[row] = Arrays.copyOfRange(flat, row * batch.longest(), (row + 1) * batch.longest());
        }
        return logits;
    }

    /**
     * The hidden states [rows · longest, D] after the embedding, after each layer, and after the final norm.
     *
     * @return [layers + 2][rows · tokens of the longest row][D]
     */
    public float[][][] hiddenStates(TokenBatch batch) {
        int layers = model.config().layers();
        float[][][] states = new float[layers + 2][][];
        int[] rows = allRows(batch);
        plan(batch, false).forward(batch, (layer, hidden) -> {
            states[layer + 1] = new float[rows.length][];
            for (int i = 0; i < rows.length; i++) {
                states[layer + 1][i] = hidden.getRow(rows[i]).toFloatVector();
            }
        });
        states[layers + 1] = model.head().normed(states[layers]);
        return states;
    }

    /**
     * Continues texts.
     *
     * @return the new tokens, [rows][new tokens of the row]
     */
    public int[][] generate(GenerationRequest request) {
        return Generator.generate(model, adapter, request);
    }

    /** A text to continue again and again; close it before this. */
    public Session session() {
        return new Session(model, adapter);
    }

    @Override
    public void close() {
        model.dropPlans(adapter);
    }

    /** Scores by row; with a plan for training, leaves the gradient of the mean loss in it. */
    private List<Score> score(TokenBatch batch, @Nullable BatchPlan training) {
        int tokens = batch.paddedLength();
        int[] rows = new int[batch.targets()];
        int[] targets = new int[rows.length];
        int[] owners = new int[rows.length];
        int count = 0;
        for (int row = 0; row < batch.rows(); row++) {
            int[] labels = batch.labels()[row];
            for (int position = 1; position < labels.length; position++) {
                if (labels[position] != TokenBatch.IGNORED) {
                    rows[count] = row * tokens + position - 1;
                    targets[count] = labels[position];
                    owners[count++] = row;
                }
            }
        }
        BatchPlan plan = training == null ? plan(batch, false) : training;
        INDArray hidden = plan.forward(batch, BatchPlan.LayerListener.NONE);
        INDArray gradient = training == null ? null : training.outputGradient();
        List<HeadLossKernel.Row> positions =
                model.head().score(hidden, rows, targets, gradient, 1.0 / Math.max(1, rows.length));
        Score[] scores = new Score[batch.rows()];
        Arrays.fill(scores, Score.ZERO);
        for (int i = 0; i < count; i++) {
            HeadLossKernel.Row position = positions.get(i);
            scores[owners[i]] = scores[owners[i]].plus(new Score(position.loss(), 1, position.correct() ? 1 : 0));
        }
        return List.of(scores);
    }

    /** The rows of the padded batch that the batch itself has. */
    private static int[] allRows(TokenBatch batch) {
        int tokens = batch.paddedLength();
        int longest = batch.longest();
        int[] rows = new int[batch.rows() * longest];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = i / longest * tokens + i % longest;
        }
        return rows;
    }

    private BatchPlan plan(TokenBatch batch, boolean training) {
        return model.plan(adapter, shape(batch, training));
    }

    private static LlamaGraph.LayerShape shape(TokenBatch batch, boolean training) {
        return new LlamaGraph.LayerShape(batch.rows(), batch.paddedLength(), 0, training);
    }
}
