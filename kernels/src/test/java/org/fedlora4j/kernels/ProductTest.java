package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.stream.Stream;
import org.fedlora4j.kernels.Product.Operand;
import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;
import org.fedlora4j.kernels.ProductCase.Types;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Products against naive ones in double; where there are no products, that there is a reason. */
class ProductTest {
    private static final int[] SIZES = {1, 7, 16, 24, 33, 64};
    private static final long SEED = 31;

    static Stream<Types> types() {
        return Types.ALL.stream();
    }

    /** Every layout with every sum, of the product and of a multiple. */
    @ParameterizedTest
    @MethodSource("types")
    void layoutsAndSums(Types types) {
        if (ProductCase.available(types)) {
            for (int layout = 0; layout < 8; layout++) {
                int gap = (layout & 4) == 0 ? 0 : 5;
                Shape shape = ProductCase.shape(33, 64, 7, types, (layout & 1) != 0, (layout & 2) != 0, gap);
                for (Sum sum : Sum.values()) {
                    check(ProductCase.scaled(shape, 1, sum), SEED + layout);
                    check(ProductCase.scaled(shape, -0.3f, sum), SEED + layout);
                }
            }
        }
    }

    /** Every size with every other, in a layout drawn for each. */
    @ParameterizedTest
    @MethodSource("types")
    void sizes(Types types) {
        if (ProductCase.available(types)) {
            Random random = new Random(SEED);
            for (int m : SIZES) {
                for (int k : SIZES) {
                    for (int n : SIZES) {
                        boolean leftTransposed = random.nextBoolean();
                        boolean mayHaveGaps = n > 1 && !(leftTransposed && m == 1);
                        boolean rightTransposed = types.canTurnRight(k) && random.nextBoolean();
                        int gap = mayHaveGaps ? random.nextInt(3) : 0;
                        check(
                                ProductCase.shape(m, k, n, types, leftTransposed, rightTransposed, gap),
                                random.nextLong());
                    }
                }
            }
        }
    }

    /** In bfloat16, whose integers end at 256, ones would add up to 256. */
    @ParameterizedTest
    @ValueSource(ints = {512, 4_099})
    void bf16IsSummedInFloat(int inner) {
        if (ProductCase.available(Types.BF16)) {
            Shape shape = ProductCase.shape(3, inner, 5, Types.BF16, false, true, 0);
            NativeMatrix left = ones(shape.left(), 3, inner);
            NativeMatrix right = ones(shape.right(), inner, 5);
            NativeMatrix result = new NativeMatrix(shape.result(), 3, 5);
            run(shape, left.address(), right.address(), result.address(), 0);
            for (int i = 0; i < 15; i++) {
                assertThat(result.get(i / 5, i % 5)).isEqualTo(inner);
            }
        }
    }

    @Test
    void equalShapesShareAProduct() {
        if (ProductCase.available()) {
            Types types = Types.ALL.get(0);
            assertThat(Product.of(ProductCase.shape(2, 3, 4, types, true, false, 1)))
                    .isSameAs(Product.of(ProductCase.shape(2, 3, 4, types, true, false, 1)))
                    .isNotSameAs(Product.of(ProductCase.shape(2, 3, 4, types, true, false, 2)));
        }
    }

    @Test
    void float32ProductsAreFastEverywhere() {
        assertThat(Product.isFast(Type.F32, 7, Type.F32)).isEqualTo(ProductCase.available());
    }

    /** On a CPU that gets it right, too. */
    @Test
    void whatSomeCpusGetWrongIsRefused() {
        if (ProductCase.available()) {
            Types types = new Types(Type.F32, Type.BF16, Type.F32);
            assertThatThrownBy(() -> Product.of(ProductCase.shape(2, 20, 8, types, false, true, 0)))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("no product to rely on: Shape[rows=2, inner=20");
            assertThat(Product.isFast(Type.F32, 20, Type.BF16)).isFalse();
            Product.of(ProductCase.shape(2, 20, 8, types, false, false, 0));
            Product.of(ProductCase.shape(2, 24, 8, types, false, true, 0));
        }
    }

    @Test
    void whatCantBeMultipliedIsRefused() {
        Operand floats = new Operand(Type.F32, false, 9);
        Operand halves = new Operand(Type.BF16, false, 9);
        Operand turned = new Operand(Type.F32, true, 9);
        assertRefused(0, 2, floats, floats, floats);
        assertRefused(3, 2, halves, floats, floats);
        assertRefused(3, 2, floats, floats, halves);
        assertRefused(3, 2, floats, floats, turned);
        assertRefused(1, 2, turned, floats, floats);
        assertRefused(3, 1, floats, floats, floats);
    }

    private static void assertRefused(int rows, int columns, Operand left, Operand right, Operand result) {
        assertThatThrownBy(() -> new Shape(rows, 2, columns, left, right, result, Sum.NOTHING))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("product of " + rows + " x 2, ")
                .hasMessageContaining("into " + result);
    }

    private static NativeMatrix ones(Operand operand, int rows, int columns) {
        NativeMatrix matrix = new NativeMatrix(operand, rows, columns);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                matrix.set(row, column, 1);
            }
        }
        return matrix;
    }

    private static void check(Shape shape, long seed) {
        new ProductCase(shape, seed).check((left, right, result, other) -> run(shape, left, right, result, other));
    }

    /** In a share of the team, by whoever runs it. */
    private static void run(Shape shape, long left, long right, long result, long other) {
        Team.run(Team.size(), 1, (from, to, member) -> {
            if (from == Team.size() - 1) {
                Product.of(shape).run(member, left, right, result, other);
            }
        });
    }
}
