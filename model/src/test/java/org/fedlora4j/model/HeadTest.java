package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.fedlora4j.kernels.HeadLossKernel;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.NativeRuntime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Rows scored together, some side by side and some alone, in more than one chunk, against each scored by itself. */
class HeadTest {
    static {
        NativeRuntime.ensure();
    }

    private static final LlamaConfig CONFIG = TinyModel.config(1, 4, 2);
    private static final int TOKENS = 300;
    private static final double SCALE = 0.25;

    private final Random random = new Random(31);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @Test
    void rowsAreScoredAsIfEachWereAlone() throws IOException {
        TinyModel.write(folder, CONFIG, random);
        INDArray hidden = TinyModel.array(random, TOKENS, CONFIG.hiddenSize());
        int[] rows = random.ints(0, TOKENS).distinct().limit(200).sorted().toArray();
        int[] targets = random.ints(rows.length, 0, CONFIG.vocabularySize()).toArray();
        INDArray gradient = poisoned();
        try (LanguageModel model = LanguageModel.open(folder)) {
            Head head = model.head();
            List<HeadLossKernel.Row> scores = head.score(hidden, rows, targets, gradient, SCALE);
            assertThat(head.score(hidden, rows, targets, null, SCALE)).isEqualTo(scores);
            float[][] logits = head.logits(hidden, rows);
            for (int i = 0; i < rows.length; i++) {
                INDArray alone = poisoned();
                HeadLossKernel.Row score = head.score(hidden, new int[] {rows[i]}, new int[] {targets[i]}, alone, SCALE)
                        .get(0);
                assertThat(scores.get(i).loss()).isCloseTo(score.loss(), within(1e-6));
                assertThat(scores.get(i).loss()).isCloseTo(loss(logits[i], targets[i]), within(2e-6));
                assertThat(row(gradient, rows[i])).containsExactly(row(alone, rows[i]), within(1e-6f));
            }
        }
        for (int token = 0; token < TOKENS; token++) {
            if (Arrays.binarySearch(rows, token) < 0) {
                assertThat(row(gradient, token)).containsOnly(0);
            }
        }
    }

    private static double loss(float[] logits, int target) {
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        return Math.log(sum) - logits[target];
    }

    private static float[] row(INDArray matrix, int row) {
        return matrix.getRow(row).toFloatVector();
    }

    private static INDArray poisoned() {
        return Nd4j.valueArrayOf(new long[] {TOKENS, CONFIG.hiddenSize()}, Float.NaN);
    }
}
