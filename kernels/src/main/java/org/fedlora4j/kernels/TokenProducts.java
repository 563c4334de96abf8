package org.fedlora4j.kernels;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.List;

/**
 * Products of a few rows with frozen matrices, y = x·Wᵀ, from and to the Java heap: of a single row by
 * {@link ProductKernel}, which reads weights as fast as memory allows, of more rows by oneDNN where it is fast.
 */
public final class TokenProducts {
    /** Rows are padded to a multiple of so many, so that few shapes serve all numbers. */
    private static final int ROW_STEP = 8;

    private final Product.Type type;
    private final ByteBuffer input;
    private final ByteBuffer output;

    /**
     * Products with room for their operands in native memory, which somebody else owns.
     *
     * @param type to which x is rounded for matrices of that type; float32 for none
     * @param input for the largest x, padded
     * @param output for the largest y, padded
     */
    public TokenProducts(Product.Type type, ByteBuffer input, ByteBuffer output) {
        this.type = type;
        this.input = input.duplicate().order(ByteOrder.nativeOrder());
        this.output = output.duplicate().order(ByteOrder.nativeOrder());
    }

    /** The bytes that x or y takes, [count, width]. */
    public static long bytes(int count, int width) {
        return (long) padded(count) * width * Float.BYTES;
    }

    /**
     * Multiplies the same rows with several matrices of the same width.
     *
     * @param x [count, columns]
     * @param y for each matrix [count, its rows], overwritten
     */
    public void run(float[] x, int count, List<WeightMatrix> weights, List<float[]> y) {
        if (count == 1 || !weights.stream().allMatch(this::isFast)) {
            ProductKernel.run(x, count, weights, y);
            return;
        }
        for (int i = 0; i < weights.size(); i++) {
            WeightMatrix matrix = weights.get(i);
            if (i == 0 || left(matrix) != left(weights.get(i - 1))) {
                write(x, count, left(matrix));
            }
            new SharedProduct(shape(matrix, padded(count))).run(address(input), matrix.address(), address(output), 0);
            read(y.get(i), count);
        }
    }

    private boolean isFast(WeightMatrix matrix) {
        return Product.isFast(left(matrix), matrix.columns(), matrix.type());
    }

    /** The type that x has for a matrix: products take two of bfloat16, or x in float32. */
    private Product.Type left(WeightMatrix matrix) {
        return matrix.type() == type ? type : Product.Type.F32;
    }

    private void write(float[] x, int count, Product.Type as) {
        int width = x.length / count;
        FloatBuffer floats = input.asFloatBuffer();
        ShortBuffer halves = input.asShortBuffer();
        Team.run(count, 1, (from, to, member) -> {
            int length = (to - from) * width;
            if (as == Product.Type.F32) {
                floats.put(from * width, x, from * width, length);
                return;
            }
            short[] narrow = Scratch.shorts(member, length);
            Bf16.narrowRow(x, from * width, narrow, 0, length);
            halves.put(from * width, narrow, 0, length);
        });
    }

    private void read(float[] y, int count) {
        int width = y.length / count;
        FloatBuffer floats = output.asFloatBuffer();
        Team.run(count, 1, (from, to, member) -> floats.get(from * width, y, from * width, (to - from) * width));
    }

    private Product.Shape shape(WeightMatrix matrix, int rows) {
        return new Product.Shape(
                rows,
                matrix.columns(),
                matrix.rows(),
                new Product.Operand(left(matrix), false, matrix.columns()),
                new Product.Operand(matrix.type(), true, matrix.columns()),
                new Product.Operand(Product.Type.F32, false, matrix.rows()),
                Product.Sum.NOTHING);
    }

    private static int padded(int count) {
        return (count + ROW_STEP - 1) / ROW_STEP * ROW_STEP;
    }

    static long address(ByteBuffer memory) {
        return Pointer.nativeValue(Native.getDirectBufferPointer(memory));
    }
}
