package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against softmax and its logarithm in double; outputs are filled with NaN before. */
class CrossEntropyKernelTest {
    private static final long SEED = 11;

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "2, 3, 4", "3, 16, 1", "5, 33, 10", "3, 2048, 4", "4, 2049, 30", "3, 49152, 4", "2, 5000, 80"
    })
    void randomLogits(int rows, int width, float range) {
        Random random = new Random(SEED + width);
        float[][] logits = new float[rows][width];
        int[] targets = new int[rows];
        for (int row = 0; row < rows; row++) {
            targets[row] = random.nextInt(width);
            for (int i = 0; i < width; i++) {
                logits[row][i] = (float) (range * random.nextGaussian());
            }
        }
        check(logits, targets);
    }

    @Test
    void flatPeakedAndHugeLogits() {
        float[] flat = new float[9_001];
        float[] peaked = new float[9_001];
        peaked[3] = 60;
        float[] huge = new float[9_001];
        Arrays.fill(huge, -1e4f);
        huge[5] = 1e4f;
        huge[6] = 9_999.5f;
        float[] impossible = new float[9_001];
        Arrays.fill(impossible, Float.NEGATIVE_INFINITY);
        impossible[8_999] = -3e38f;
        check(new float[][] {flat, flat, peaked, huge, impossible}, new int[] {0, 8_000, 3, 6, 8_999});
    }

    @Test
    void amongEqualLogitsTheFirstIsTheChoice() {
        float[] logits = new float[5_000];
        for (int at : new int[] {2_100, 2_101, 4_500}) {
            logits[at] = 7;
        }
        Numbers four = Buffers.numbers(logits, logits, logits, logits);
        CrossEntropyKernel.Row[] rows = CrossEntropyKernel.score(four, 5_000, new int[] {2_100, 2_101, 4_500, 0}, null);
        assertThat(rows).extracting(CrossEntropyKernel.Row::correct).containsExactly(true, false, false, false);
    }

    @Test
    void nanLogitsGiveNanLosses() {
        float[] some = new float[100];
        some[40] = Float.NaN;
        float[] all = new float[100];
        Arrays.fill(all, Float.NaN);
        CrossEntropyKernel.Row[] rows =
                CrossEntropyKernel.score(Buffers.numbers(some, all), 100, new int[] {0, 0}, null);
        assertThat(rows).allSatisfy(row -> assertThat(row.loss()).isNaN());
    }

    @Test
    void rowsWithoutTargetHaveNoGradient() {
        FloatBuffer logits = Buffers.of(new float[] {1, 2, 3}, new float[] {4, 5, 6}, new float[] {7, 8, 9});
        Numbers numbers = Numbers.of(logits);
        ShortBuffer narrow = Buffers.poisonedShorts(9);
        assertThat(CrossEntropyKernel.score(numbers, 3, new int[] {2}, Numbers.ofBf16(narrow)))
                .hasSize(1);
        assertThat(CrossEntropyKernel.score(numbers, 3, new int[] {2}, numbers)).hasSize(1);
        for (int i = 0; i < 9; i++) {
            assertThat(logits.get(i) == 0).isEqualTo(i >= 3);
            assertThat(narrow.get(i) == 0).isEqualTo(i >= 3);
        }
    }

    @Test
    void targetsOutsideTheVocabularyAreRefused() {
        assertThatThrownBy(() -> CrossEntropyKernel.score(Buffers.numbers(new float[6]), 3, new int[] {0, 3}, null))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static void check(float[][] logits, int[] targets) {
        int width = logits[0].length;
        FloatBuffer buffer = Buffers.of(logits);
        Numbers numbers = Numbers.of(buffer);
        FloatBuffer gradient = Buffers.poisoned(logits.length * width);
        ShortBuffer narrow = Buffers.poisonedShorts(logits.length * width);
        CrossEntropyKernel.Row[] rows = CrossEntropyKernel.score(numbers, width, targets, null);
        assertThat(CrossEntropyKernel.score(numbers, width, targets, Numbers.of(gradient)))
                .isEqualTo(rows);
        assertThat(CrossEntropyKernel.score(numbers, width, targets, Numbers.ofBf16(narrow)))
                .isEqualTo(rows);
        assertThat(CrossEntropyKernel.score(numbers, width, targets, numbers)).isEqualTo(rows);
        assertThat(buffer).isEqualTo(gradient);
        for (int row = 0; row < logits.length; row++) {
            check(rows[row], logits[row], targets[row], row * width, gradient, narrow);
        }
    }

    private static void check(
            CrossEntropyKernel.Row found,
            float[] logits,
            int target,
            int begin,
            FloatBuffer gradient,
            ShortBuffer narrow) {
        double largest = Double.NEGATIVE_INFINITY;
        int first = 0;
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] > largest) {
                largest = logits[i];
                first = i;
            }
        }
        double sum = 0;
        for (float value : logits) {
            sum += Math.exp(value - largest);
        }
        double loss = Math.log(sum) + largest - logits[target];
        assertThat(found.loss()).as("seed %d", SEED).isCloseTo(loss, within(2e-7 + 1e-7 * loss));
        assertThat(found.sum()).as("seed %d", SEED).isCloseTo(sum, within(2e-7 * sum));
        assertThat(found.correct()).isEqualTo(target == first);
        for (int i = 0; i < logits.length; i++) {
            double wanted = Math.exp(logits[i] - largest) - (i == target ? sum : 0);
            // The difference of logits is rounded to a float, before it becomes an exponent.
            double rounding = Math.min(1, 6e-8 * (1 + largest - logits[i]));
            assertClose(gradient.get(begin + i), wanted, 3e-7 + rounding, sum);
            assertClose(Bf16.widen(narrow.get(begin + i)), wanted, 1.0 / 256 + rounding, sum);
        }
    }

    /** To a share of its size; what is nearly nothing may be nothing, and a difference is as good as the sum is. */
    private static void assertClose(double found, double wanted, double share, double sum) {
        double tolerance = share * Math.abs(wanted) + 2e-38 + (wanted < 0 ? 2e-7 * sum : 0);
        if (!(Math.abs(found - wanted) <= tolerance)) {
            assertThat(found).as("seed %d", SEED).isCloseTo(wanted, within(tolerance));
        }
    }
}
