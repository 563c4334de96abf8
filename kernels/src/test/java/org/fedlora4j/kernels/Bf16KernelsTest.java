package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Random;
import java.util.function.BiConsumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On bf16, each kernel makes what it makes of the same numbers as floats, rounded once. */
class Bf16KernelsTest {
    private static final float EPSILON = 1e-5f;

    private final Random random = new Random(4);

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 7", "4, 33", "9, 576"})
    void rmsNorm(int rows, int width) {
        int length = rows * width;
        check(
                new int[] {length, width},
                new int[] {length},
                (in, out) -> RmsNormKernel.forward(in[0], in[1], out[0], null, rows, width, EPSILON));
        check(
                new int[] {length, width, length, length},
                new int[] {length},
                (in, out) -> RmsNormKernel.backward(in[0], in[1], in[2], in[3], out[0], rows, width, EPSILON));
    }

    /** What rounding left over makes up for it. */
    @ParameterizedTest
    @CsvSource({"1, 1", "3, 7", "9, 576"})
    void rmsNormInTwoParts(int rows, int width) {
        int length = rows * width;
        Numbers x = Buffers.numbers(gaussian(length));
        Numbers w = Buffers.numbers(gaussian(width));
        FloatBuffer y = Buffers.poisoned(length);
        ShortBuffer high = Buffers.poisonedShorts(length);
        ShortBuffer low = Buffers.poisonedShorts(length);
        RmsNormKernel.forward(x, w, Numbers.of(y), null, rows, width, EPSILON);
        RmsNormKernel.forward(x, w, Numbers.ofBf16(high), Numbers.ofBf16(low), rows, width, EPSILON);
        for (int i = 0; i < length; i++) {
            float value = y.get(i);
            assertThat(Bf16.widen(high.get(i))).isEqualTo(Bf16.widen(Bf16.narrow(value)));
            assertThat(Bf16.widen(high.get(i)) + Bf16.widen(low.get(i)))
                    .isCloseTo(value, within(Math.abs(value) * 0x1p-16f));
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 2", "4, 1, 70", "5, 9, 64"})
    void rope(int rows, int heads, int headSize) {
        int width = heads * headSize;
        int length = rows * width;
        check(
                new int[] {length, length, length},
                new int[] {length},
                (in, out) -> RopeKernel.turn(in[0], in[1], in[2], out[0], rows, width, headSize, -1));
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "5, 33", "16, 64"})
    void softmax(int tokens, int width) {
        int length = 2 * tokens * width;
        check(
                new int[] {length, tokens * width},
                new int[] {length},
                (in, out) -> SoftmaxKernel.forward(in[0], in[1], out[0], 1, 2, tokens, width, 0.125f));
        check(
                new int[] {length, length},
                new int[] {length},
                (in, out) -> SoftmaxKernel.backward(in[0], in[1], out[0], 2 * tokens, width, 0.125f));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 1_025, 5_000})
    void swiGlu(int length) {
        check(
                new int[] {length, length},
                new int[] {length},
                (in, out) -> SwiGluKernel.forward(in[0], in[1], out[0], length));
        check(
                new int[] {length, length, length},
                new int[] {length, length},
                (in, out) -> SwiGluKernel.backward(in[0], in[1], in[2], out[0], out[1], length));
    }

    private void check(int[] inputs, int[] outputs, BiConsumer<Numbers[], Numbers[]> kernel) {
        Numbers[] narrowInputs = new Numbers[inputs.length];
        Numbers[] wideInputs = new Numbers[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            ShortBuffer values = Buffers.bf16(gaussian(inputs[i]));
            narrowInputs[i] = Numbers.ofBf16(values);
            wideInputs[i] = Buffers.numbers(widened(values));
        }
        ShortBuffer[] narrow = new ShortBuffer[outputs.length];
        FloatBuffer[] wide = new FloatBuffer[outputs.length];
        Numbers[] narrowOutputs = new Numbers[outputs.length];
        Numbers[] wideOutputs = new Numbers[outputs.length];
        for (int i = 0; i < outputs.length; i++) {
            narrow[i] = Buffers.poisonedShorts(outputs[i]);
            narrowOutputs[i] = Numbers.ofBf16(narrow[i]);
            wide[i] = Buffers.poisoned(outputs[i]);
            wideOutputs[i] = Numbers.of(wide[i]);
        }
        kernel.accept(narrowInputs, narrowOutputs);
        kernel.accept(wideInputs, wideOutputs);
        for (int i = 0; i < outputs.length; i++) {
            float[] values = new float[outputs[i]];
            wide[i].get(0, values);
            assertThat(values).doesNotContain(Float.NaN);
            assertThat(narrow[i]).isEqualTo(Buffers.bf16(values));
        }
    }

    private float[] gaussian(int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static float[] widened(ShortBuffer values) {
        float[] widened = new float[values.capacity()];
        for (int i = 0; i < widened.length; i++) {
            widened[i] = Bf16.widen(values.get(i));
        }
        return widened;
    }
}
