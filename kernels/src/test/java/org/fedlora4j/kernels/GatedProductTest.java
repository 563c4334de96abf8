package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Random;
import java.util.stream.Stream;
import org.fedlora4j.kernels.Product.Operand;
import org.fedlora4j.kernels.Product.Type;
import org.fedlora4j.kernels.ProductCase.Types;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against products and sigmoid in double; what is overwritten holds NaN before. */
class GatedProductTest {
    /** Rows, hidden size and feed-forward size. */
    private static final int[][] SIZES = {{1, 8, 2}, {7, 16, 33}, {9, 24, 900}, {300, 8, 40}, {260, 32, 400}};

    private static final long SEED = 59;

    static Stream<Types> types() {
        return Types.ALL.stream().filter(types -> types.result() == Type.F32);
    }

    @ParameterizedTest
    @MethodSource("types")
    void activationAndBothProducts(Types types) {
        if (ProductCase.available(types)) {
            for (int[] size : SIZES) {
                check(types, size[0], size[1], size[2], false);
                check(types, size[0], size[1], size[2], true);
            }
        }
    }

    private static void check(Types types, int rows, int hidden, int width, boolean wide) {
        Random random = new Random(SEED + rows);
        NativeMatrix x = NativeMatrix.random(new Operand(types.left(), false, hidden), rows, hidden, random);
        NativeMatrix low = NativeMatrix.random(new Operand(types.left(), false, hidden), rows, hidden, random);
        NativeMatrix gate = NativeMatrix.random(new Operand(types.right(), false, hidden), width, hidden, random);
        NativeMatrix up = NativeMatrix.random(new Operand(types.right(), false, hidden), width, hidden, random);
        GatedProduct product = new GatedProduct(rows, hidden, width, types.left(), types.right(), types.right(), wide);
        GatedProduct.Inputs inputs =
                new GatedProduct.Inputs(x.address(), wide ? low.address() : 0, gate.address(), up.address());
        FloatBuffer y = Buffers.poisoned(rows * width);
        ShortBuffer rounded = Buffers.poisonedShorts(rows * width);
        FloatBuffer gates = Buffers.poisoned(rows * width);
        ShortBuffer ups = Buffers.poisonedShorts(rows * width);
        product.run(inputs, Numbers.ofBf16(rounded), null, null);
        product.run(inputs, Numbers.of(y), Numbers.of(gates), Numbers.ofBf16(ups));
        for (int i = 0; i < rows * width; i++) {
            double g = 0;
            double u = 0;
            double gSize = 0;
            double uSize = 0;
            for (int j = 0; j < hidden; j++) {
                double value = x.get(i / width, j) + (wide ? low.get(i / width, j) : 0.0);
                g += value * gate.get(i % width, j);
                u += value * up.get(i % width, j);
                gSize += Math.abs(value * gate.get(i % width, j));
                uSize += Math.abs(value * up.get(i % width, j));
            }
            double tolerance = 2e-6 * (gSize + uSize + gSize * uSize + 1);
            double wanted = g / (1 + Math.exp(-g)) * u;
            String name = "%s, %d x %d x %d, element %d, seed %d".formatted(types, rows, hidden, width, i, SEED);
            assertThat((double) y.get(i)).as(name).isCloseTo(wanted, within(tolerance));
            assertThat((double) gates.get(i)).as(name).isCloseTo(g, within(tolerance));
            assertThat((double) Bf16.widen(ups.get(i))).as(name).isCloseTo(u, within(tolerance + Math.abs(u) / 256));
            assertThat(rounded.get(i)).as(name).isEqualTo(Bf16.narrow(y.get(i)));
        }
    }
}
