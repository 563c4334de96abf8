package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.fedlora4j.kernels.AttentionKernel.Dimensions;
import org.fedlora4j.kernels.AttentionKernel.Inputs;
import org.fedlora4j.kernels.NaiveAttention.Result;
import org.fedlora4j.kernels.Product.Type;
import org.fedlora4j.kernels.ProductCase.Types;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Against {@link NaiveAttention}; outputs and the kernel's own memory hold NaN before. */
class AttentionKernelTest {
    private static final long SEED = 73;
    /** Half a unit in the last place of a bfloat16. */
    private static final double HALF_UNIT = 1.0 / 256;

    private static final float HIDDEN = -1e9f;

    /** What the queries see. */
    enum Mask {
        CAUSAL,
        /** Causal; each text but the first is shorter than the one before, and its last tokens see its last one. */
        PADDED,
        /** Numbers of all sizes, and hidden ones anywhere; the first of four rows sees nothing, the last one all. */
        RANDOM;

        /** @return [B, 1, T, T] */
        float[] make(Dimensions d, Random random) {
            int tokens = d.tokens();
            float[] mask = new float[d.batch() * tokens * tokens];
            for (int row = 0; row < d.batch() * tokens; row++) {
                int begin = row * tokens;
                int position = row % tokens;
                int length = this == PADDED ? Math.max(1, tokens - row / tokens * 5) : tokens;
                if (this != RANDOM) {
                    Arrays.fill(mask, begin + Math.min(position + 1, length), begin + tokens, HIDDEN);
                    continue;
                }
                for (int i = begin; i < begin + tokens; i++) {
                    boolean hidden = row % 4 == 0 || row % 4 != 3 && random.nextBoolean();
                    mask[i] = hidden ? HIDDEN : (float) random.nextGaussian();
                }
            }
            return mask;
        }
    }

    static Stream<Arguments> grid() {
        List<Arguments> grid = new ArrayList<>();
        int[][] heads = {{3, 3}, {6, 2}, {4, 1}};
        for (int tokens : new int[] {1, 7, 16, 100, 128, 130, 300}) {
            for (int headSize : new int[] {8, 64}) {
                for (int[] number : heads) {
                    int turn = grid.size();
                    int batch = 1 + (turn + turn / 3) % 3;
                    Mask mask = Mask.values()[(turn / 3 + turn / 9) % 3];
                    grid.add(Arguments.of(new Dimensions(batch, tokens, number[0], number[1], headSize), mask));
                }
            }
        }
        return grid.stream();
    }

    @ParameterizedTest
    @MethodSource("grid")
    void outputAndGradients(Dimensions d, Mask mask) {
        if (ProductCase.available()) {
            check(d, mask);
        }
    }

    /** Every mask on every batch, where blocks of queries begin and end. */
    @ParameterizedTest
    @EnumSource
    void masks(Mask mask) {
        if (ProductCase.available()) {
            for (int tokens : new int[] {33, 127, 129, 257}) {
                Dimensions d = new Dimensions(1 + tokens % 3, tokens, 2, 1, 8);
                check(d, mask);
            }
        }
    }

    private static void check(Dimensions d, Mask mask) {
        new Case(d, mask, Type.F32, Type.F32).check();
        if (ProductCase.available(Types.BF16)) {
            new Case(d, mask, Type.F32, Type.BF16).check();
            new Case(d, mask, Type.BF16, Type.BF16).check();
        }
    }

    private static final class Case {
        private final Dimensions d;
        private final Type type;
        private final AttentionKernel kernel;
        private final NaiveAttention naive;
        private final FloatBuffer mask;
        private final Buffer queries;
        private final Buffer keys;
        private final Buffer values;
        private final Buffer outputGradient;
        private final Inputs inputs;

        Case(Dimensions d, Mask mask, Type queryType, Type type) {
            this.d = d;
            this.type = type;
            kernel = new AttentionKernel(d, queryType, type);
            Random random = new Random(SEED);
            int rows = d.batch() * d.tokens();
            float[] q = random(rows * d.queryWidth(), random, queryType);
            float[] k = random(rows * d.keyWidth(), random, queryType);
            float[] v = random(rows * d.keyWidth(), random, type);
            float[] gradient = random(rows * d.queryWidth(), random, type);
            float[] added = mask.make(d, random);
            naive = new NaiveAttention(d, q, k, v, added, gradient, type == Type.BF16 ? HALF_UNIT : 0);
            this.mask = Buffers.of(added);
            queries = buffer(q, queryType);
            keys = buffer(k, queryType);
            values = buffer(v, type);
            outputGradient = buffer(gradient, type);
            inputs = new Inputs(address(queries), address(keys), address(values), this.mask);
        }

        void check() {
            poisonScratch();
            Buffer kept = poisoned(Math.toIntExact(AttentionKernel.keptElements(d)), type);
            for (Type outputType : EnumSet.of(Type.F32, type)) {
                Buffer output = poisoned(naive.output.values().length, outputType);
                kernel.forward(inputs, address(output), outputType, 0);
                assertClose("output", output, naive.output, outputType == Type.BF16 ? HALF_UNIT : 0);
                Buffer again = poisoned(naive.output.values().length, outputType);
                kernel.forward(inputs, address(again), outputType, address(kept));
                assertThat(again).isEqualTo(output);
            }
            List<FloatBuffer> anew = backward(0);
            poisonScratch();
            List<FloatBuffer> fromKept = backward(address(kept));
            for (List<FloatBuffer> gradients : List.of(anew, fromKept)) {
                assertClose("query gradient", gradients.get(0), naive.queryGradient, 0);
                assertClose("key gradient", gradients.get(1), naive.keyGradient, 0);
                assertClose("value gradient", gradients.get(2), naive.valueGradient, 0);
            }
            if (type == Type.F32) {
                assertThat(fromKept).isEqualTo(anew);
            }
        }

        /** The gradients by queries, keys and values. */
        private List<FloatBuffer> backward(long kept) {
            FloatBuffer query = Buffers.poisoned(naive.queryGradient.values().length);
            FloatBuffer key = Buffers.poisoned(naive.keyGradient.values().length);
            FloatBuffer value = Buffers.poisoned(naive.valueGradient.values().length);
            FloatBuffer heads = Buffers.poisoned(2 * query.capacity());
            kernel.backward(
                    inputs,
                    address(outputGradient),
                    kept,
                    new AttentionKernel.Gradients(address(query), key, value, heads, address(heads)));
            return List.of(query, key, value);
        }

        /** Leaves NaN in the memory that kernels keep between runs. */
        private void poisonScratch() {
            long nothing = address(Buffers.poisoned(naive.output.values().length));
            FloatBuffer sums = Buffers.poisoned(naive.keyGradient.values().length);
            FloatBuffer heads = Buffers.poisoned(2 * naive.output.values().length);
            long at = address(heads);
            kernel.backward(
                    new Inputs(nothing, nothing, nothing, mask),
                    nothing,
                    0,
                    new AttentionKernel.Gradients(at, sums, sums, heads, at));
        }

        private void assertClose(String name, Buffer found, Result wanted, double narrowing) {
            for (int i = 0; i < wanted.values().length; i++) {
                double value = get(found, i);
                double tolerance = wanted.errors()[i] * (1 + narrowing) + narrowing * Math.abs(wanted.values()[i]);
                if (!(Math.abs(value - wanted.values()[i]) <= tolerance)) {
                    assertThat(value)
                            .as("%s[%d] of %s in %s, seed %d", name, i, d, type, SEED)
                            .isCloseTo(wanted.values()[i], within(tolerance));
                }
            }
        }

        /** From a normal distribution, and as the type holds them. */
        private static float[] random(int length, Random random, Type type) {
            float[] numbers = new float[length];
            for (int i = 0; i < length; i++) {
                float number = (float) random.nextGaussian();
                numbers[i] = type == Type.BF16 ? Bf16.widen(Bf16.narrow(number)) : number;
            }
            return numbers;
        }

        private static Buffer buffer(float[] numbers, Type type) {
            return type == Type.BF16 ? Buffers.bf16(numbers) : Buffers.of(numbers);
        }
    }

    private static Buffer poisoned(int length, Type type) {
        return type == Type.BF16 ? Buffers.poisonedShorts(length) : Buffers.poisoned(length);
    }

    private static float get(Buffer buffer, int index) {
        return buffer instanceof FloatBuffer floats ? floats.get(index) : Bf16.widen(((ShortBuffer) buffer).get(index));
    }

    private static long address(Buffer buffer) {
        return Pointer.nativeValue(Native.getDirectBufferPointer(buffer));
    }
}
