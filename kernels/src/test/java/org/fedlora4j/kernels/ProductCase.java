package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.fedlora4j.kernels.Product.Operand;
import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;

/** A product of random matrices, checked against a naive one in double. */
final class ProductCase {
    /** Of a float32 sum, as a share of the sum of sizes. */
    private static final double ROUNDING = 1e-6;
    /** Of a result in bfloat16, half a unit in its last place. */
    private static final double NARROWING = 1.0 / 256;

    /** The types of left, right and result. */
    record Types(Type left, Type right, Type result) {
        static final Types BF16 = new Types(Type.BF16, Type.BF16, Type.F32);

        static final List<Types> ALL = List.of(
                new Types(Type.F32, Type.F32, Type.F32),
                new Types(Type.F32, Type.BF16, Type.F32),
                new Types(Type.F32, Type.F16, Type.F32),
                BF16,
                new Types(Type.BF16, Type.BF16, Type.BF16));

        /** Whether the right matrix may be transposed where so many numbers are summed up. */
        boolean canTurnRight(int inner) {
            return left == right || right == Type.F16 || inner % 8 == 0;
        }
    }

    /** What multiplies. */
    interface Multiplication {
        void run(long left, long right, long result, long other);
    }

    private final Shape shape;
    private final long seed;
    private final NativeMatrix left;
    private final NativeMatrix right;
    private final NativeMatrix other;
    private final Random random;

    ProductCase(Shape shape, long seed) {
        this.shape = shape;
        this.seed = seed;
        random = new Random(seed);
        left = NativeMatrix.random(shape.left(), shape.rows(), shape.inner(), random);
        right = NativeMatrix.random(shape.right(), shape.inner(), shape.columns(), random);
        Operand floats = new Operand(Type.F32, false, shape.result().stride());
        other = NativeMatrix.random(floats, shape.rows(), shape.columns(), random);
    }

    /** Whether there are products here; where there are none, there is a reason. */
    static boolean available() {
        String failure = Product.failure();
        assertThat(failure == null || !failure.isBlank()).isTrue();
        return failure == null;
    }

    /** Whether these types are multiplied here; two bfloat16 matrices are not everywhere. */
    static boolean available(Types types) {
        if (!available()) {
            return false;
        }
        try {
            Product.of(shape(64, 64, 64, types, false, true, 0));
            return true;
        } catch (UnsupportedOperationException e) {
            assertThat(types.left).isEqualTo(Type.BF16);
            assertThat(Product.isFast(Type.BF16, 64, Type.BF16)).isFalse();
            assertThat(e).hasMessageContaining("oneDNN has no product ");
            return false;
        }
    }

    /** @param gap elements between the end of a row, as it lies in memory, and the next one */
    static Shape shape(int m, int k, int n, Types types, boolean leftTransposed, boolean rightTransposed, int gap) {
        return new Shape(
                m,
                k,
                n,
                new Operand(types.left, leftTransposed, (leftTransposed ? m : k) + gap),
                new Operand(types.right, rightTransposed, (rightTransposed ? k : n) + gap),
                new Operand(types.result, false, n + gap),
                Sum.NOTHING);
    }

    static Shape scaled(Shape shape, float factor, Sum sum) {
        return new Shape(
                shape.rows(), shape.inner(), shape.columns(), shape.left(), shape.right(), shape.result(), factor, sum);
    }

    void check(Multiplication multiplication) {
        check(multiplication, 1);
    }

    /** Checks one row of so many. */
    void check(Multiplication multiplication, int step) {
        boolean addsResult = shape.sum() == Sum.RESULT;
        NativeMatrix result = addsResult
                ? NativeMatrix.random(shape.result(), shape.rows(), shape.columns(), random)
                : new NativeMatrix(shape.result(), shape.rows(), shape.columns());
        double[][] wanted = new double[shape.rows()][shape.columns()];
        double[][] sizes = new double[shape.rows()][shape.columns()];
        for (int row = 0; row < shape.rows(); row += step) {
            for (int column = 0; column < shape.columns(); column++) {
                double added = switch (shape.sum()) {
                    case NOTHING -> 0;
                    case RESULT -> result.get(row, column);
                    case OTHER -> other.get(row, column);
                };
                wanted[row][column] = added;
                sizes[row][column] = Math.abs(added);
                for (int i = 0; i < shape.inner(); i++) {
                    double product = (double) shape.factor() * left.get(row, i) * right.get(i, column);
                    wanted[row][column] += product;
                    sizes[row][column] += Math.abs(product);
                }
            }
        }
        multiplication.run(left.address(), right.address(), result.address(), other.address());
        double narrowing = shape.result().type() == Type.BF16 ? NARROWING : 0;
        for (int row = 0; row < shape.rows(); row += step) {
            for (int column = 0; column < shape.columns(); column++) {
                double tolerance = ROUNDING * sizes[row][column] + narrowing * Math.abs(wanted[row][column]);
                double found = result.get(row, column);
                if (!(Math.abs(found - wanted[row][column]) <= tolerance)) {
                    assertThat(found)
                            .as("%s, row %d, column %d, seed %d", shape, row, column, seed)
                            .isCloseTo(wanted[row][column], within(tolerance));
                }
            }
        }
        result.assertNothingElseIsTouched();
    }
}
