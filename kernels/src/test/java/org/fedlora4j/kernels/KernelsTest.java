package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each kernel against a naive one in double precision; outputs are filled with NaN before. */
class KernelsTest {
    private static final float EPSILON = 1e-5f;

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 7", "5, 16", "4, 33", "9, 576"})
    void rmsNorm(int rows, int width) {
        float[] x = random(rows * width, 3);
        float[] w = random(width, 1);
        float[] dy = random(rows * width, 1);
        FloatBuffer y = Buffers.poisoned(rows * width);
        FloatBuffer dx = Buffers.poisoned(rows * width);
        float[] plus = random(rows * width, 2);
        FloatBuffer sum = Buffers.of(plus);
        RmsNormKernel.forward(Buffers.numbers(x), Buffers.numbers(w), Numbers.of(y), null, rows, width, EPSILON);
        RmsNormKernel.backward(
                Buffers.numbers(x),
                Buffers.numbers(w),
                Buffers.numbers(dy),
                null,
                Numbers.of(dx),
                rows,
                width,
                EPSILON);
        RmsNormKernel.backward(
                Buffers.numbers(x),
                Buffers.numbers(w),
                Buffers.numbers(dy),
                Numbers.of(sum),
                Numbers.of(sum),
                rows,
                width,
                EPSILON);
        for (int row = 0; row < rows; row++) {
            double squares = 0;
            double products = 0;
            for (int i = 0; i < width; i++) {
                int at = row * width + i;
                squares += (double) x[at] * x[at] / width;
                products += (double) dy[at] * w[i] * x[at] / width;
            }
            double s = 1 / Math.sqrt(squares + EPSILON);
            for (int i = 0; i < width; i++) {
                int at = row * width + i;
                assertClose(y.get(at), x[at] * s * w[i], 3);
                assertClose(dx.get(at), s * dy[at] * w[i] - x[at] * s * s * s * products, 3 + 9 * s);
                assertThat(sum.get(at)).isEqualTo(dx.get(at) + plus[at]);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 2", "3, 2, 8", "2, 3, 64", "4, 1, 70", "5, 9, 64"})
    void rope(int rows, int heads, int headSize) {
        int width = heads * headSize;
        float[] x = random(rows * width, 2);
        float[] cos = new float[rows * width];
        float[] sin = new float[rows * width];
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < width; i++) {
                double angle = row * 0.3 + i % (headSize / 2);
                cos[row * width + i] = (float) Math.cos(angle);
                sin[row * width + i] = (float) Math.sin(angle);
            }
        }
        FloatBuffer y = Buffers.poisoned(rows * width);
        Numbers cosines = Buffers.numbers(cos);
        Numbers sines = Buffers.numbers(sin);
        RopeKernel.turn(Buffers.numbers(x), cosines, sines, Numbers.of(y), rows, width, headSize, 1);
        for (int at = 0; at < rows * width; at++) {
            boolean first = at % headSize < headSize / 2;
            int other = first ? at + headSize / 2 : at - headSize / 2;
            assertClose(y.get(at), (double) x[at] * cos[at] + (first ? -1 : 1) * (double) x[other] * sin[at], 3);
        }
        FloatBuffer back = Buffers.poisoned(rows * width);
        RopeKernel.turn(Numbers.of(y), cosines, sines, Numbers.of(back), rows, width, headSize, -1);
        for (int at = 0; at < rows * width; at++) {
            assertClose(back.get(at), x[at], 4);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1, 0", "1, 2, 3, 0", "2, 3, 16, 0", "2, 2, 35, 5", "1, 9, 64, 64"})
    void softmax(int batch, int heads, int tokens, int cached) {
        int width = cached + tokens;
        int rows = batch * heads * tokens;
        float scale = 0.125f;
        float[] scores = random(rows * width, 40);
        float[] mask = new float[batch * tokens * width];
        for (int row = 0; row < batch * tokens; row++) {
            // Causal, and a cached token hidden in the middle.
            Arrays.fill(mask, row * width + cached + row % tokens + 1, (row + 1) * width, -1e9f);
            if (cached > 2) {
                mask[row * width + 1] = -1e9f;
            }
        }
        float[] dp = random(rows * width, 1);
        FloatBuffer p = Buffers.poisoned(rows * width);
        FloatBuffer ds = Buffers.poisoned(rows * width);
        SoftmaxKernel.forward(
                Buffers.numbers(scores), Buffers.numbers(mask), Numbers.of(p), batch, heads, tokens, width, scale);
        SoftmaxKernel.backward(Numbers.of(p), Buffers.numbers(dp), Numbers.of(ds), rows, width, scale);
        for (int row = 0; row < rows; row++) {
            int maskRow = row / (heads * tokens) * tokens + row % tokens;
            double[] weights = new double[width];
            double largest = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < width; i++) {
                weights[i] = (double) scores[row * width + i] * scale + mask[maskRow * width + i];
                largest = Math.max(largest, weights[i]);
            }
            double sum = 0;
            for (int i = 0; i < width; i++) {
                weights[i] = Math.exp(weights[i] - largest);
                sum += weights[i];
            }
            double product = 0;
            for (int i = 0; i < width; i++) {
                weights[i] /= sum;
                product += weights[i] * dp[row * width + i];
            }
            for (int i = 0; i < width; i++) {
                int at = row * width + i;
                assertClose(p.get(at), weights[i], 1);
                assertClose(ds.get(at), scale * weights[i] * (dp[at] - product), 1);
                if (mask[maskRow * width + i] < 0) {
                    assertThat(p.get(at)).isZero();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 1_024, 1_025, 5_000})
    void swiGlu(int length) {
        float[] g = random(length, 60);
        float[] u = random(length, 3);
        float[] dy = random(length, 1);
        FloatBuffer y = Buffers.poisoned(length);
        FloatBuffer dg = Buffers.poisoned(length);
        FloatBuffer du = Buffers.poisoned(length);
        SwiGluKernel.forward(Buffers.numbers(g), Buffers.numbers(u), Numbers.of(y), length);
        SwiGluKernel.backward(
                Buffers.numbers(g), Buffers.numbers(u), Buffers.numbers(dy), Numbers.of(dg), Numbers.of(du), length);
        for (int i = 0; i < length; i++) {
            double s = 1 / (1 + Math.exp(-g[i]));
            assertClose(y.get(i), g[i] * s * u[i], 180);
            assertClose(du.get(i), dy[i] * g[i] * s, 60);
            assertClose(dg.get(i), dy[i] * u[i] * s * (1 + g[i] * (1 - s)), 4);
        }
    }

    @Test
    void exponential() {
        float[] values = new float[Lanes.LENGTH];
        for (float x = -100; x < 100; x += 0.0137f) {
            Arrays.fill(values, x);
            Lanes.exp(Lanes.load(values, 0)).intoArray(values, 0);
            double expected = x < -87.3f ? 0 : Math.exp(Math.min(x, 88.3f));
            assertThat(values[0]).as("e^%s", x).isCloseTo((float) expected, offset((float) (2.4e-7 * expected)));
        }
        Arrays.fill(values, Float.NaN);
        Lanes.exp(Lanes.load(values, 0)).intoArray(values, 0);
        assertThat(values[0]).isNaN();
    }

    /** Within a few roundings of a value of that size. */
    private static void assertClose(float actual, double expected, double size) {
        assertThat((double) actual).isCloseTo(expected, offset(4e-7 * size + 4e-7 * Math.abs(expected)));
    }

    private static float[] random(int length, float range) {
        Random random = new Random(20_261_125L + length);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (2 * random.nextFloat() - 1) * range;
        }
        return values;
    }
}
