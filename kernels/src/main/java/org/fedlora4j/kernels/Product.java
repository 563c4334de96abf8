package org.fedlora4j.kernels;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A matrix product of fixed shapes by oneDNN, result [M, N] = left [M, K] · right [K, N], on one thread: a member of the
 * {@link Team}, who runs it in a share of its own. Sums are taken in float32. Equal shapes share one product while it is
 * among the last 512 that were asked for; its native memory, some 0.2 MB, is given back once nobody holds it either.
 */
public final class Product {
    /** What is added to the product. */
    public enum Sum {
        NOTHING,
        /** What stands in the result. */
        RESULT,
        /** A further matrix, with the result's layout and type float. */
        OTHER
    }

    /** The type of a matrix's elements. */
    public enum Type {
        F32(3, Float.BYTES),
        BF16(2, Short.BYTES),
        F16(1, Short.BYTES);

        private final int code;
        private final int bytes;

        Type(int code, int bytes) {
            this.code = code;
            this.bytes = bytes;
        }

        /** Bytes of an element. */
        public int bytes() {
            return bytes;
        }

        /** In oneDNN's dnnl_data_type_t. */
        int code() {
            return code;
        }
    }

    /**
     * A matrix as it lies in memory.
     *
     * @param transposed whether it lies there transposed
     * @param stride elements from the beginning of a row as it lies there to that of the next
     */
    public record Operand(Type type, boolean transposed, long stride) {
        /** Where an element is, in bytes from the matrix's beginning. */
        long offset(long row, long column) {
            return (transposed ? column * stride + row : row * stride + column) * type.bytes;
        }
    }

    /**
     * M, K, N, and how the three matrices lie in memory. Both matrices are float32 or both bfloat16; the right one of a
     * float32 product may also be of 16 bits, and is widened as it is read. The result is float32, or bfloat16 if both are.
     * It is not transposed; where it is a single column, or the left matrix one that lies there transposed, that has no gaps.
     * What stands in the gaps between the rows of a bfloat16 left matrix must be finite: where K is no multiple of 32, oneDNN
     * 3.13 multiplies it by zero.
     *
     * @param factor what the product is multiplied by before anything is added
     */
    public record Shape(
            int rows, int inner, int columns, Operand left, Operand right, Operand result, float factor, Sum sum) {
        /** A product that is not scaled. */
        public Shape(int rows, int inner, int columns, Operand left, Operand right, Operand result, Sum sum) {
            this(rows, inner, columns, left, right, result, 1, sum);
        }

        public Shape {
            boolean types = (left.type == right.type || left.type == Type.F32)
                    && (result.type == Type.F32 || result.type == Type.BF16 && left.type == Type.BF16);
            // oneDNN (3.8 to 3.13) takes a column that stands alone for one without gaps.
            boolean gaps = left.transposed && rows == 1 && inner > 1 && left.stride > 1
                    || columns == 1 && rows > 1 && result.stride > 1;
            if (rows < 1 || inner < 1 || columns < 1 || !types || gaps || result.transposed) {
                throw new IllegalArgumentException("product of " + rows + " x " + inner + ", " + left + ", by " + inner
                        + " x " + columns + ", " + right + ", into " + result);
            }
        }

        /** Whether oneDNN (3.8) gets it wrong on a CPU with AVX2 and no more. */
        private boolean isWrongSomewhere() {
            return left.type == Type.F32 && right.type == Type.BF16 && right.transposed && inner % 8 != 0;
        }

        /** The product with something else added. */
        Shape with(Sum sum) {
            return new Shape(rows, inner, columns, left, right, result, factor, sum);
        }

        /** The product of so many terms only. */
        Shape withTerms(int inner) {
            return new Shape(rows, inner, columns, left, right, result, factor, sum);
        }

        /** A part of the result as a product of its own. */
        Shape part(int rows, int columns) {
            return new Shape(rows, inner, columns, left, right, result, factor, sum);
        }
    }

    /** Several times what a training step of 2,048 tokens asks for, and some 100 MB. */
    private static final ProductCache PRODUCTS = new ProductCache(512);

    private static final Cleaner CLEANER = Cleaner.create();

    private final Shape shape;
    private final Primitive primitive;

    /** Why there are no products here, or null where there are. */
    public static @Nullable String failure() {
        return OneDnn.failure();
    }

    /** The version of oneDNN, or null where there is none. */
    public static @Nullable String oneDnnVersion() {
        return failure() == null ? OneDnn.version() : null;
    }

    /**
     * Whether bfloat16 is multiplied by AMX, several times as fast as float32: the CPU has it, the kernel permits it, and
     * the variable {@code ONEDNN_MAX_CPU_ISA} does not forbid it.
     */
    public static boolean hasAmx() {
        return failure() == null && OneDnn.hasAmx();
    }

    /**
     * The product of a shape.
     *
     * @throws UnsupportedOperationException if there is none on this CPU, as may be for two bfloat16 matrices, or none to
     *     rely on: float32 by transposed bfloat16 where K is no multiple of 8
     */
    public static Product of(Shape shape) {
        return PRODUCTS.get(shape);
    }

    /**
     * Whether there are products of these types, with more than plain loops.
     *
     * @param inner K
     * @param right the type of the right matrix, which lies transposed
     */
    public static boolean isFast(Type left, int inner, Type right) {
        if (failure() != null) {
            return false;
        }
        Operand rows = new Operand(left, false, inner);
        Operand columns = new Operand(right, true, inner);
        Shape probe = new Shape(64, inner, 64, rows, columns, new Operand(Type.F32, false, 64), Sum.NOTHING);
        try {
            return !of(probe).implementation().startsWith("ref");
        } catch (UnsupportedOperationException e) {
            return false;
        }
    }

    /** See {@link #of}. */
    Product(Shape shape) {
        if (shape.isWrongSomewhere()) {
            throw new UnsupportedOperationException("no product to rely on: " + shape);
        }
        this.shape = shape;
        primitive = new Primitive(copiesOther() ? shape.with(Sum.RESULT) : shape);
        CLEANER.register(this, primitive::destroy);
    }

    /** As oneDNN names it, such as {@code brg_matmul:avx512_core_amx}. */
    String implementation() {
        return primitive.implementation;
    }

    /**
     * Multiplies matrices at addresses.
     *
     * @param member the member of the team that runs this
     * @param other the address of what is added, with {@link Sum#OTHER}; it may be the result's
     */
    public void run(int member, long left, long right, long result, long other) {
        if (copiesOther() && other != result) {
            copy(other, result);
        }
        try {
            primitive.run(member, left, right, result, other);
        } finally {
            // Otherwise the primitive might be destroyed while it runs: the caller may hold this no longer.
            Reference.reachabilityFence(this);
        }
    }

    /** oneDNN 3.13 takes seconds to add another matrix to a product whose rows have gaps. */
    private boolean copiesOther() {
        return shape.sum == Sum.OTHER && shape.result.type == Type.F32;
    }

    private void copy(long from, long to) {
        int stride = Math.toIntExact(shape.result.stride);
        long bytes = ((shape.rows - 1L) * stride + shape.columns) * Float.BYTES;
        FloatBuffer source = NativeBlock.buffer(from, bytes).asFloatBuffer();
        FloatBuffer target = NativeBlock.buffer(to, bytes).asFloatBuffer();
        for (int row = 0; row < shape.rows; row++) {
            target.put(row * stride, source, row * stride, shape.columns);
        }
    }
}
