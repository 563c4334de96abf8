package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.fedlora4j.model.exec.NativeMemory;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The kernel and its control against softmax and its logarithm in double. */
class CrossEntropyTest {
    private static final long SEED = 5;
    private static final List<Function<INDArray, CrossEntropy>> KINDS =
            List.of(logits -> new FusedCrossEntropy(logits, logits), PlainCrossEntropy::new);

    @Test
    void lossAndGradientOverALargeVocabulary() {
        Random random = new Random(SEED);
        int rows = 3;
        int vocabulary = 49_152;
        float[][] logits = new float[rows][vocabulary];
        for (float[] row : logits) {
            for (int i = 0; i < vocabulary; i++) {
                row[i] = (float) (4 * random.nextGaussian());
            }
        }
        check(logits, new int[] {17, 40_000, 0});
    }

    @Test
    void flatPeakedAndHugeLogits() {
        float[] flat = new float[1_001];
        float[] peaked = new float[1_001];
        peaked[3] = 60;
        float[] huge = new float[1_001];
        Arrays.fill(huge, -1e4f);
        huge[5] = 1e4f;
        huge[6] = 9_999.5f;
        check(new float[][] {flat, peaked, huge}, new int[] {8, 3, 6});
    }

    /** The probability of such a target is zero in float; its loss is not infinite. */
    @Test
    void unlikelyTargets() {
        float[] row = new float[100];
        row[1] = 150;
        row[2] = -150;
        check(new float[][] {row, row}, new int[] {0, 2});
    }

    @Test
    void rowsWithoutTargetHaveNoGradient() {
        for (Function<INDArray, CrossEntropy> kind : KINDS) {
            INDArray logits = Nd4j.createFromArray(new float[][] {{1, 2, 3}, {4, Float.NaN, 6}});
            assertThat(kind.apply(logits).gradient(new int[] {2})).hasSize(1);
            assertThat(logits.getRow(1).toFloatVector()).containsOnly(0f);
            assertThat(logits.getRow(0).toFloatVector()).doesNotContain(0f);
        }
    }

    /** Where the JVM has the Vector API, as in tests, the kernel is what a model runs. */
    @Test
    void theKernelIsChosen() {
        assertThat(CrossEntropy.over(Nd4j.ones(1, 1), Nd4j.ones(1, 1))).isInstanceOf(FusedCrossEntropy.class);
    }

    private static void check(float[][] rows, int[] targets) {
        KINDS.forEach(kind -> check(kind, rows, targets));
    }

    private static void check(Function<INDArray, CrossEntropy> kind, float[][] rows, int[] targets) {
        try (NativeMemory memory = new NativeMemory()) {
            INDArray logits = memory.floats(rows.length, rows[0].length);
            logits.assign(Nd4j.createFromArray(rows));
            CrossEntropy.RowScore[] evaluated = kind.apply(logits).score(targets);
            logits.assign(Nd4j.createFromArray(rows));
            CrossEntropy.RowScore[] scores = kind.apply(logits).gradient(targets);
            assertThat(scores).isEqualTo(evaluated);
            for (int row = 0; row < rows.length; row++) {
                float[] values = rows[row];
                double largest = largest(values);
                double sum = 0;
                for (float value : values) {
                    sum += Math.exp(value - largest);
                }
                double loss = largest + Math.log(sum) - values[targets[row]];
                assertThat(scores[row].loss()).as("row %d, seed %d", row, SEED).isCloseTo(loss, within(1e-6));
                assertThat(scores[row].correct()).isEqualTo(targets[row] == first(values, largest));
                double furthest = 0;
                for (int i = 0; i < values.length; i++) {
                    double wanted = Math.exp(values[i] - largest) / sum - (i == targets[row] ? 1 : 0);
                    furthest = Math.max(furthest, Math.abs(logits.getFloat(row, i) / scores[row].sum() - wanted));
                }
                assertThat(furthest)
                        .as("gradient of row %d, seed %d", row, SEED)
                        .isLessThan(1e-6);
            }
        }
    }

    private static float largest(float[] values) {
        float largest = values[0];
        for (float value : values) {
            largest = Math.max(largest, value);
        }
        return largest;
    }

    /** Among equal logits the first counts as the model's choice. */
    private static int first(float[] values, double wanted) {
        int first = 0;
        while (values[first] != wanted) {
            first++;
        }
        return first;
    }
}
