package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.fedlora4j.kernels.Product.Type;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernels that generate tokens, each against a naive one in double precision; NaN stands where nothing is read. */
class DecodingKernelsTest {
    private static final long SEED = 11;

    private final Random random = new Random(SEED);

    @BeforeEach
    void poisonScratch() {
        Team.run(Team.size(), 1, (from, to, member) -> {
            Arrays.fill(Scratch.floats(member, 1 << 16), Float.NaN);
            Arrays.fill(Scratch.shorts(member, 1 << 16), (short) -1);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "F32, 1, 1, 1",
        "F32, 1, 9, 64",
        "F32, 3, 6, 20",
        "F32, 8, 33, 97",
        "BF16, 1, 1, 1",
        "BF16, 1, 9, 64",
        "BF16, 1, 7, 33",
        "BF16, 3, 6, 20",
        "BF16, 8, 33, 97",
        "F16, 1, 1, 1",
        "F16, 1, 9, 64",
        "F16, 3, 6, 20",
        "F16, 8, 33, 97"
    })
    void products(Type type, int count, int rows, int columns) {
        float[] x = random(count * columns);
        float[] first = new float[rows * columns];
        float[] second = new float[(rows + 2) * columns];
        List<WeightMatrix> weights =
                List.of(weights(type, rows, columns, first), weights(type, rows + 2, columns, second));
        float[][] y = {poisoned(count * rows), poisoned(count * (rows + 2))};
        ProductKernel.run(x, count, weights, List.of(y));
        assertProduct(y[0], x, count, first, columns, 1e-5);
        assertProduct(y[1], x, count, second, columns, 1e-5);
    }

    @Test
    void productsWithMatricesOfSeveralTypes() {
        int columns = 70;
        float[] x = random(2 * columns);
        float[][] values = {new float[5 * columns], new float[3 * columns], new float[4 * columns]};
        float[][] y = {poisoned(10), poisoned(6), poisoned(8)};
        ProductKernel.run(
                x,
                2,
                List.of(
                        weights(Type.F16, 5, columns, values[0]),
                        weights(Type.F32, 3, columns, values[1]),
                        weights(Type.BF16, 4, columns, values[2])),
                List.of(y));
        for (int i = 0; i < y.length; i++) {
            assertProduct(y[i], x, 2, values[i], columns, 1e-5);
        }
    }

    /** Whichever way they are computed here: x is rounded to bfloat16 for such matrices at most, and only if asked to. */
    @ParameterizedTest
    @CsvSource({
        "F32, F32, 1",
        "F32, F32, 3",
        "F32, BF16, 9",
        "F32, F16, 4",
        "BF16, BF16, 1",
        "BF16, BF16, 5",
        "BF16, F32, 2"
    })
    void productsOfTokens(Type type, Type weightType, int count) {
        int columns = 70;
        float[] x = random(count * columns);
        float[][] values = {new float[40 * columns], new float[33 * columns]};
        List<WeightMatrix> weights =
                List.of(weights(weightType, 40, columns, values[0]), weights(weightType, 33, columns, values[1]));
        float[][] y = {poisoned(count * 40), poisoned(count * 33)};
        ByteBuffer input = memory((int) TokenProducts.bytes(count, columns));
        ByteBuffer output = memory((int) TokenProducts.bytes(count, 40));
        input.asFloatBuffer().put(poisoned(input.capacity() / Float.BYTES));
        output.asFloatBuffer().put(poisoned(output.capacity() / Float.BYTES));
        new TokenProducts(type, input, output).run(x, count, weights, List.of(y));
        double rounding = type == Type.F32 || weightType == Type.F32 ? 1e-5 : 4e-3;
        assertProduct(y[0], x, count, values[0], columns, rounding);
        assertProduct(y[1], x, count, values[1], columns, rounding);
    }

    @ParameterizedTest
    @EnumSource(Type.class)
    void rowsAreReadExactly(Type type) {
        for (int columns : new int[] {1, 16, 33, 100}) {
            float[] values = new float[3 * columns];
            WeightMatrix matrix = weights(type, 3, columns, values);
            float[] row = poisoned(columns + 2);
            matrix.copyRow(2, row, 1);
            assertThat(Arrays.copyOfRange(row, 1, columns + 1))
                    .isEqualTo(Arrays.copyOfRange(values, 2 * columns, 3 * columns));
            assertThat(row[0]).isNaN();
            assertThat(row[columns + 1]).isNaN();
        }
    }

    /** Zeros, the smallest and largest normal ones, and numbers below the normal ones. */
    @Test
    void everyKindOf16BitFloat() {
        short[] bits = {0, (short) 0x8000, 0x0001, (short) 0x83ff, 0x0400, 0x7bff, (short) 0xfbff, 0x3555};
        ByteBuffer memory = memory(2 * bits.length);
        memory.asShortBuffer().put(bits);
        float[] values = new float[bits.length];
        new WeightMatrix(memory, Type.F16, 1, bits.length).copyRow(0, values, 0);
        assertThat(values).containsExactly(0f, -0f, 0x1p-24f, -0x3ffp-24f, 0x1p-14f, 65504f, -65504f, 0x555p-12f);
    }

    @Test
    void aMatrixFillsItsMemory() {
        assertThatThrownBy(() -> new WeightMatrix(memory(10), Type.BF16, 2, 3))
                .hasMessage("5 elements of BF16 for a matrix [2, 3]");
    }

    @ParameterizedTest
    @CsvSource({"1, 4, 1, 5", "3, 70, 4, 33", "2, 16, 8, 64"})
    void lowRank(int count, int in, int rank, int out) {
        float[] x = random(count * in);
        float[] a = random(rank * in);
        float[] b = random(rank * out);
        float[] y = random(count * out);
        double[] wanted = new double[y.length];
        for (int i = 0; i < y.length; i++) {
            wanted[i] = y[i];
            for (int k = 0; k < rank; k++) {
                for (int j = 0; j < in; j++) {
                    wanted[i] += (double) x[i / out * in + j] * a[k * in + j] * b[k * out + i % out];
                }
            }
        }
        new LowRank(a, b, rank).addTo(x, count, y);
        for (int i = 0; i < y.length; i++) {
            assertThat((double) y[i]).isCloseTo(wanted[i], offset(1e-4 * (1 + Math.abs(wanted[i]))));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 6, 20", "2, 3, 64, 100", "1, 4, 10, 33", "2, 2, 128, 40"})
    void attention(int heads, int groups, int headSize, int slots) {
        int batch = 3;
        int floats = Math.toIntExact(AttentionCache.floats(batch, heads, slots, headSize));
        FloatBuffer poisonedKeys = memory(4 * floats).asFloatBuffer().put(poisoned(floats));
        FloatBuffer poisonedValues = memory(4 * floats).asFloatBuffer().put(poisoned(floats));
        AttentionCache cache = new AttentionCache(poisonedKeys, poisonedValues, heads, slots, headSize);
        // [batch][heads][slots · headSize], stored in two pieces.
        int[] lengths = {1, slots, slots / 2 + 1};
        float[][][] keys = new float[batch][heads][];
        float[][][] values = new float[batch][heads][];
        for (int row = 0; row < batch; row++) {
            for (int head = 0; head < heads; head++) {
                keys[row][head] = random(slots * headSize);
                values[row][head] = random(slots * headSize);
                int first = lengths[row] / 3;
                cache.store(row, head, 0, first, keys[row][head], values[row][head], 0);
                cache.store(
                        row, head, first, lengths[row] - first, keys[row][head], values[row][head], first * headSize);
            }
        }
        int moreFloats = Math.toIntExact(AttentionCache.floats(batch, heads, slots + 30, headSize));
        AttentionCache larger = new AttentionCache(
                memory(4 * moreFloats).asFloatBuffer().put(poisoned(moreFloats)),
                memory(4 * moreFloats).asFloatBuffer().put(poisoned(moreFloats)),
                heads,
                slots + 30,
                headSize);
        larger.copy(cache, batch, slots);
        // Row 1 has all its tokens, of which the earlier don't see the later; they are more than one run.
        int[] rows = new int[slots + 2];
        int[] positions = new int[rows.length];
        for (int slot = 0; slot < slots; slot++) {
            rows[1 + slot] = 1;
            positions[1 + slot] = slot;
        }
        rows[slots + 1] = 2;
        positions[slots + 1] = lengths[2] - 1;
        int width = heads * groups * headSize;
        float[] queries = random(rows.length * width);
        float[] mixed = poisoned(rows.length * width);
        cache.attend(rows, positions, queries, mixed, 0.3f);
        float[] again = poisoned(mixed.length);
        larger.attend(rows, positions, queries, again, 0.3f);
        assertThat(again).isEqualTo(mixed);
        for (int at = 0; at < mixed.length; at++) {
            int token = at / width;
            int query = at - at % headSize;
            int head = at % width / (groups * headSize);
            double sum = 0;
            double weighted = 0;
            for (int slot = 0; slot <= positions[token]; slot++) {
                double score = 0;
                for (int i = 0; i < headSize; i++) {
                    score += (double) queries[query + i] * keys[rows[token]][head][slot * headSize + i];
                }
                double weight = Math.exp(0.3 * score);
                sum += weight;
                weighted += weight * values[rows[token]][head][slot * headSize + at % headSize];
            }
            assertThat((double) mixed[at]).as("at %d, seed %d", at, SEED).isCloseTo(weighted / sum, offset(2e-5));
        }
    }

    private static void assertProduct(float[] y, float[] x, int count, float[] weights, int columns, double rounding) {
        int rows = weights.length / columns;
        for (int i = 0; i < count * rows; i++) {
            double sum = 0;
            for (int j = 0; j < columns; j++) {
                sum += (double) x[i / rows * columns + j] * weights[i % rows * columns + j];
            }
            assertThat((double) y[i]).as("at %d, seed %d", i, SEED).isCloseTo(sum, offset(rounding * columns));
        }
    }

    /** A random matrix; {@code values} gets what it holds, rounded to the type. */
    private WeightMatrix weights(Type type, int rows, int columns, float[] values) {
        ByteBuffer memory = memory(values.length * (type == Type.F32 ? Float.BYTES : Short.BYTES));
        for (int i = 0; i < values.length; i++) {
            float value = (float) random.nextGaussian();
            int bits = Float.floatToIntBits(value);
            switch (type) {
                case F32 -> {
                    memory.putFloat(value);
                    values[i] = value;
                }
                case BF16 -> {
                    memory.putShort((short) (bits >> 16));
                    values[i] = Float.intBitsToFloat(bits & 0xFFFF_0000);
                }
                case F16 -> {
                    // A sign, a power of two between 2^-3 and 2^4, and 10 bits of fraction.
                    int fraction = random.nextInt(1 << 10);
                    int exponent = random.nextInt(8) - 3;
                    memory.putShort((short) ((bits >>> 31) << 15 | (exponent + 15) << 10 | fraction));
                    values[i] = Math.copySign(Math.scalb(1 + fraction / 1024f, exponent), value);
                }
            }
        }
        return new WeightMatrix(memory.rewind(), type, rows, columns);
    }

    private float[] random(int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static float[] poisoned(int length) {
        float[] values = new float[length];
        Arrays.fill(values, Float.NaN);
        return values;
    }

    private static ByteBuffer memory(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }
}
