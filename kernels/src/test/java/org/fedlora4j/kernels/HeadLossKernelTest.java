package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import org.fedlora4j.kernels.HeadLossKernel.Hidden;
import org.fedlora4j.kernels.HeadLossKernel.Row;
import org.fedlora4j.kernels.Product.Operand;
import org.fedlora4j.kernels.Product.Type;
import org.fedlora4j.kernels.ProductCase.Types;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against softmax and its logarithm in double; what is overwritten holds NaN before. */
class HeadLossKernelTest {
    private static final long SEED = 11;
    private static final double FACTOR = 0.25;

    /** Leaves NaN in the memory that the kernel keeps. */
    @BeforeEach
    void poison() {
        if (ProductCase.available()) {
            Case poison = new Case(Type.F32, Type.F32, new float[8 * 8], new float[2_000 * 8], 8);
            poison.x.set(0, 0, Float.NaN);
            poison.x.set(1, 0, Float.NaN);
            poison.run(new int[] {1, 2});
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 8, 1, 1",
        "2, 8, 3, 1",
        "3, 64, 511, 0.2",
        "5, 16, 512, 1",
        "8, 8, 513, 3",
        "2, 64, 1023, 0.5",
        "3, 8, 1024, 1",
        "4, 32, 1500, 2",
        "20, 64, 5000, 0.5",
        "1, 8, 49152, 4"
    })
    void randomRows(int rows, int width, int vocabulary, float range) {
        Random random = new Random(SEED + vocabulary);
        float[] x = gaussian(rows * width, range, random);
        float[] w = gaussian(vocabulary * width, 1, random);
        int[] targets = random.ints(rows, 0, vocabulary).toArray();
        for (Types types : Types.ALL) {
            if (ProductCase.available(types)) {
                new Case(types.left(), types.right(), x, w, width).check(targets);
            }
        }
    }

    @Test
    void flatPeakedAndHugeLogits() {
        float[] flat = new float[3_001];
        float[] peaked = new float[3_001];
        peaked[3] = 60;
        float[] huge = new float[3_001];
        Arrays.fill(huge, -1e4f);
        huge[5] = 1e4f;
        huge[2_600] = 9_999.5f;
        float[] rising = new float[3_001];
        for (int i = 0; i < rising.length; i++) {
            rising[i] = i * 0.1f;
        }
        for (float[] logits : new float[][] {flat, peaked, huge, rising}) {
            for (int target : new int[] {0, 3, 5, 2_600, 3_000}) {
                if (ProductCase.available()) {
                    new Case(Type.F32, Type.F32, new float[] {1}, logits, 1).check(new int[] {target});
                }
            }
        }
    }

    @Test
    void amongEqualLogitsTheFirstIsTheChoice() {
        if (ProductCase.available()) {
            float[] logits = new float[5_000];
            for (int at : new int[] {2_100, 2_101, 4_500}) {
                logits[at] = 7;
            }
            Case four = new Case(Type.F32, Type.F32, new float[] {1, 1, 1, 1}, logits, 1);
            assertThat(four.run(new int[] {2_100, 2_101, 4_500, 0}))
                    .extracting(Row::correct)
                    .containsExactly(true, false, false, false);
        }
    }

    @Test
    void nanRowsGiveNanLosses() {
        if (ProductCase.available()) {
            Case two = new Case(Type.F32, Type.F32, new float[] {Float.NaN, 1}, new float[1_100], 1);
            Row[] rows = two.run(new int[] {1, 1});
            assertThat(rows[0].loss()).isNaN();
            assertThat(rows[1].loss()).isCloseTo(Math.log(1_100), within(1e-6));
        }
    }

    @Test
    void rowsWithoutTargetAreLeftAlone() {
        if (ProductCase.available()) {
            Case two = new Case(Type.F32, Type.F32, new float[] {1, 1}, new float[] {1, 2, 3}, 1);
            assertThat(two.run(new int[] {2})).hasSize(1);
            assertThat(two.gradient.get(0)).isNotNaN();
            assertThat(two.gradient.get(1)).isNaN();
        }
    }

    @Test
    void targetsOutsideTheVocabularyAreRefused() {
        Case two = new Case(Type.F32, Type.F32, new float[] {1, 1}, new float[] {1, 2, 3}, 1);
        assertThatThrownBy(() -> two.run(new int[] {0, 3})).isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static float[] gaussian(int length, float range, Random random) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (range * random.nextGaussian());
        }
        return values;
    }

    /** Rows and weights as their types hold them; bfloat16 rows come with what rounding left over. */
    private static final class Case {
        private final int rows;
        private final int width;
        private final int vocabulary;
        private final Type type;
        private final NativeMatrix x;
        private final NativeMatrix low;
        private final NativeMatrix w;
        private final HeadLossKernel kernel;
        private final FloatBuffer gradient;

        Case(Type type, Type weightType, float[] x, float[] w, int width) {
            this.width = width;
            this.type = type;
            rows = x.length / width;
            vocabulary = w.length / width;
            this.x = new NativeMatrix(new Operand(type, false, width), rows, width);
            low = new NativeMatrix(new Operand(Type.BF16, false, width), rows, width);
            this.w = new NativeMatrix(new Operand(weightType, false, width), vocabulary, width);
            for (int i = 0; i < x.length; i++) {
                this.x.set(i / width, i % width, x[i]);
                low.set(i / width, i % width, x[i] - this.x.get(i / width, i % width));
            }
            for (int i = 0; i < w.length; i++) {
                this.w.set(i / width, i % width, w[i]);
            }
            kernel = new HeadLossKernel(rows, this.w.weight());
            gradient = Buffers.poisoned(rows * width);
        }

        Row[] run(int[] targets) {
            Hidden hidden = new Hidden(type, x.address(), type == Type.BF16 ? low.address() : 0);
            Row[] scores = kernel.score(hidden, targets, gradient, FACTOR);
            assertThat(kernel.score(hidden, targets, null, FACTOR)).isEqualTo(scores);
            return scores;
        }

        void check(int[] targets) {
            Row[] found = run(targets);
            for (int row = 0; row < rows; row++) {
                check(row, targets[row], found[row]);
            }
        }

        private void check(int row, int target, Row found) {
            double[] logits = new double[vocabulary];
            double[] errors = new double[vocabulary];
            for (int token = 0; token < vocabulary; token++) {
                for (int i = 0; i < width; i++) {
                    double rest = type == Type.BF16 ? low.get(row, i) : 0;
                    double product = (x.get(row, i) + rest) * w.get(token, i);
                    logits[token] += product;
                    errors[token] += 1e-6 * Math.abs(product);
                }
            }
            double largest = Arrays.stream(logits).max().orElseThrow();
            double sum = Arrays.stream(logits)
                    .map(logit -> Math.exp(logit - largest))
                    .sum();
            double error = Arrays.stream(errors).max().orElseThrow();
            double loss = Math.log(sum) + largest - logits[target];
            assertThat(found.loss()).as("seed %d", SEED).isCloseTo(loss, within(5e-7 + 1e-7 * loss + 2 * error));
            // Powers are rounded to the products' type; what is nearly nothing may be nothing.
            double rounding = 2e-6 + 3 * error + (type == Type.BF16 ? 1.0 / 256 : 0);
            for (int i = 0; i < width; i++) {
                double wanted = 0;
                double tolerance = 1e-30;
                for (int token = 0; token < vocabulary; token++) {
                    double power = Math.exp(logits[token] - largest) / sum;
                    double term = FACTOR * (power - (token == target ? 1 : 0)) * w.get(token, i);
                    wanted += term;
                    tolerance += FACTOR * rounding * power * Math.abs(w.get(token, i));
                    tolerance += token == target ? 1e-6 * Math.abs(FACTOR * w.get(token, i)) : 0;
                }
                assertThat((double) gradient.get(row * width + i))
                        .as("seed %d", SEED)
                        .isCloseTo(wanted, within(tolerance));
            }
        }
    }
}
