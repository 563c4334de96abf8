package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.OneDnn.check;
import static org.fedlora4j.kernels.OneDnn.created;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A matrix product of fixed shapes by oneDNN, result [M, N] = left [M, K] · right [K, N], on one thread: a member of the
 * {@link Team}, who runs it in a share of its own. Sums are taken in float32. Equal shapes share one product.
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

        private long descriptor(long rows, long columns) {
            long[] strides = transposed ? new long[] {1, stride} : new long[] {stride, 1};
            return created(
                    "descriptor",
                    handle -> OneDnn.dnnl_memory_desc_create_with_strides(
                            handle, 2, new long[] {rows, columns}, type.code, strides));
        }
    }

    /**
     * M, K, N, and how the three matrices lie in memory. Both matrices are float32 or both bfloat16; the right one of a
     * float32 product may also be of 16 bits, and is widened as it is read. The result is float32, or bfloat16 if both are.
     * It is not transposed; where it is a single column, or the left matrix one that lies there transposed, that has no gaps.
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
            // oneDNN 3.8 takes a column that stands alone for one without gaps.
            boolean gaps = left.transposed && rows == 1 && inner > 1 && left.stride > 1
                    || columns == 1 && rows > 1 && result.stride > 1;
            if (rows < 1 || inner < 1 || columns < 1 || !types || gaps || result.transposed) {
                throw new IllegalArgumentException("product of " + rows + " x " + inner + ", " + left + ", by " + inner
                        + " x " + columns + ", " + right + ", into " + result);
            }
        }

        /** Whether oneDNN 3.8 gets it wrong on a CPU with AVX2 and no more. */
        private boolean isWrongSomewhere() {
            return left.type == Type.F32 && right.type == Type.BF16 && right.transposed && inner % 8 != 0;
        }

        /** The product with something else added. */
        Shape with(Sum sum) {
            return new Shape(rows, inner, columns, left, right, result, factor, sum);
        }

        /** A part of the result as a product of its own. */
        Shape part(int rows, int columns) {
            return new Shape(rows, inner, columns, left, right, result, factor, sum);
        }
    }

    private static final int ARGUMENT_BYTES = 16;
    private static final Map<Shape, Product> PRODUCTS = new ConcurrentHashMap<>();
    /** Each member's memory for what a product needs while it runs, as large as the largest so far. */
    private static final NativeBlock[] SCRATCHPADS = NativeBlock.forTeam();

    /** As oneDNN names it. */
    final String implementation;

    private final long primitive;
    private final long scratchBytes;
    private final Member[] members = new Member[Team.size()];

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
        return PRODUCTS.computeIfAbsent(shape, key -> OneDnn.withOneThread(() -> new Product(key)));
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
            return !of(probe).implementation.startsWith("ref");
        } catch (UnsupportedOperationException e) {
            return false;
        }
    }

    private Product(Shape shape) {
        if (shape.isWrongSomewhere()) {
            throw new UnsupportedOperationException("no product to rely on: " + shape);
        }
        long left = shape.left.descriptor(shape.rows, shape.inner);
        long right = shape.right.descriptor(shape.inner, shape.columns);
        long result = shape.result.descriptor(shape.rows, shape.columns);
        long other = new Operand(Type.F32, false, shape.result.stride).descriptor(shape.rows, shape.columns);
        long postOps = created("post-ops", OneDnn::dnnl_post_ops_create);
        boolean scaled = shape.factor != 1;
        if (scaled) {
            check("factor", OneDnn.dnnl_post_ops_append_eltwise(postOps, OneDnn.LINEAR, shape.factor, 0));
        }
        switch (shape.sum) {
            case NOTHING -> {}
            case RESULT -> check("sum", OneDnn.dnnl_post_ops_append_sum(postOps, 1, 0, shape.result.type.code));
            case OTHER -> check("addition", OneDnn.dnnl_post_ops_append_binary(postOps, OneDnn.BINARY_ADD, other));
        }
        long attributes = created("attributes", OneDnn::dnnl_primitive_attr_create);
        check("attributes", OneDnn.dnnl_primitive_attr_set_post_ops(attributes, postOps));
        // The library's own scratchpad belongs to the thread that makes the primitive, not to those that run it.
        check("attributes", OneDnn.dnnl_primitive_attr_set_scratchpad_mode(attributes, OneDnn.USER_SCRATCHPAD));
        long descriptor = created(
                "product " + shape,
                handle -> OneDnn.dnnl_matmul_primitive_desc_create(
                        handle, OneDnn.engine(), left, right, 0, result, attributes));
        implementation = OneDnn.implementation(descriptor);
        primitive = created("primitive", handle -> OneDnn.dnnl_primitive_create(handle, descriptor));
        long scratch = OneDnn.dnnl_primitive_desc_query_md(descriptor, OneDnn.SCRATCHPAD_QUERY, 0);
        scratchBytes = OneDnn.dnnl_memory_desc_get_size(scratch);
        for (int i = 0; i < members.length; i++) {
            members[i] = new Member(
                    shape.sum == Sum.OTHER,
                    scaled ? 1 : 0,
                    memory(left),
                    memory(right),
                    memory(result),
                    memory(other),
                    memory(scratch));
        }
        for (long matrix : new long[] {left, right, result, other}) {
            OneDnn.dnnl_memory_desc_destroy(matrix);
        }
        OneDnn.dnnl_primitive_desc_destroy(descriptor);
        OneDnn.dnnl_post_ops_destroy(postOps);
        OneDnn.dnnl_primitive_attr_destroy(attributes);
    }

    private static long memory(long descriptor) {
        return created("memory", handle -> OneDnn.dnnl_memory_create(handle, descriptor, OneDnn.engine(), 0));
    }

    /**
     * Multiplies matrices at addresses.
     *
     * @param member the member of the team that runs this
     * @param other the address of what is added, with {@link Sum#OTHER}
     */
    public void run(int member, long left, long right, long result, long other) {
        members[member].run(this, member, left, right, result, other);
    }

    /** A member's handles: they are set anew for each run. */
    private static final class Member {
        private final long stream = OneDnn.stream();
        private final long[] memories;
        private final Pointer arguments;
        private final int count;

        Member(boolean addsOther, int addition, long left, long right, long result, long other, long scratch) {
            memories = new long[] {left, right, result, scratch, other};
            int[] kinds = {
                OneDnn.SOURCE,
                OneDnn.WEIGHTS,
                OneDnn.DESTINATION,
                OneDnn.SCRATCHPAD,
                OneDnn.FIRST_POST_OP * (addition + 1) | OneDnn.SECOND_SOURCE
            };
            count = addsOther ? 5 : 4;
            arguments = new Pointer(Native.malloc((long) ARGUMENT_BYTES * kinds.length));
            for (int i = 0; i < kinds.length; i++) {
                arguments.setInt((long) ARGUMENT_BYTES * i, kinds[i]);
                arguments.setLong((long) ARGUMENT_BYTES * i + 8, memories[i]);
            }
        }

        void run(Product product, int member, long left, long right, long result, long other) {
            OneDnn.dnnl_memory_set_data_handle(memories[0], left);
            OneDnn.dnnl_memory_set_data_handle(memories[1], right);
            OneDnn.dnnl_memory_set_data_handle(memories[2], result);
            if (product.scratchBytes > 0) {
                OneDnn.dnnl_memory_set_data_handle(memories[3], SCRATCHPADS[member].address(product.scratchBytes));
            }
            if (count == 5) {
                OneDnn.dnnl_memory_set_data_handle(memories[4], other);
            }
            check(
                    "product",
                    OneDnn.dnnl_primitive_execute(product.primitive, stream, count, Pointer.nativeValue(arguments)));
        }
    }
}
