package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.OneDnn.check;
import static org.fedlora4j.kernels.OneDnn.created;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import org.fedlora4j.kernels.Product.Operand;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;

/**
 * What oneDNN has made for a {@link Product}: the primitive, for one thread, and for each member of the {@link Team} the
 * arguments that it runs it with. All of it is native memory, some 0.2 MB, until {@link #destroy}.
 */
final class Primitive {
    private static final int ARGUMENT_BYTES = 16;
    private static final AtomicInteger LIVE = new AtomicInteger();
    /** Each member's memory for what a primitive needs while it runs, as large as the largest so far. */
    private static final NativeBlock[] SCRATCHPADS = NativeBlock.forTeam();

    private static final long[] STREAMS = new long[Team.size()];

    static {
        for (int member = 0; member < STREAMS.length; member++) {
            STREAMS[member] = OneDnn.stream();
        }
    }

    /** The implementation, as oneDNN names it. */
    final String implementation;

    private final long handle;
    private final long scratchBytes;
    private final Arguments[] arguments = new Arguments[Team.size()];

    /** @throws UnsupportedOperationException if oneDNN has none for the shape on this CPU */
    Primitive(Product.Shape shape) {
        try (Temporary temporary = new Temporary()) {
            long left = temporary.matrix(shape.left(), shape.rows(), shape.inner());
            long right = temporary.matrix(shape.right(), shape.inner(), shape.columns());
            long result = temporary.matrix(shape.result(), shape.rows(), shape.columns());
            Operand floats = new Operand(Type.F32, false, shape.result().stride());
            long other = temporary.matrix(floats, shape.rows(), shape.columns());
            long postOps =
                    temporary.keep(created("post-ops", OneDnn::dnnl_post_ops_create), OneDnn::dnnl_post_ops_destroy);
            boolean scaled = shape.factor() != 1;
            if (scaled) {
                check("factor", OneDnn.dnnl_post_ops_append_eltwise(postOps, OneDnn.LINEAR, shape.factor(), 0));
            }
            switch (shape.sum()) {
                case NOTHING -> {}
                case RESULT ->
                    check(
                            "sum",
                            OneDnn.dnnl_post_ops_append_sum(
                                    postOps, 1, 0, shape.result().type().code()));
                case OTHER -> check("addition", OneDnn.dnnl_post_ops_append_binary(postOps, OneDnn.BINARY_ADD, other));
            }
            long attributes = temporary.keep(
                    created("attributes", OneDnn::dnnl_primitive_attr_create), OneDnn::dnnl_primitive_attr_destroy);
            check("attributes", OneDnn.dnnl_primitive_attr_set_post_ops(attributes, postOps));
            // The library's own scratchpad belongs to the thread that makes the primitive, not to those that run it.
            check("attributes", OneDnn.dnnl_primitive_attr_set_scratchpad_mode(attributes, OneDnn.USER_SCRATCHPAD));
            long descriptor = temporary.keep(
                    created(
                            "product " + shape,
                            into -> OneDnn.dnnl_matmul_primitive_desc_create(
                                    into, OneDnn.engine(), left, right, 0, result, attributes)),
                    OneDnn::dnnl_primitive_desc_destroy);
            implementation = OneDnn.implementation(descriptor);
            long scratch = OneDnn.dnnl_primitive_desc_query_md(descriptor, OneDnn.SCRATCHPAD_QUERY, 0);
            scratchBytes = OneDnn.dnnl_memory_desc_get_size(scratch);
            handle = created("primitive", into -> OneDnn.dnnl_primitive_create(into, descriptor));
            for (int member = 0; member < arguments.length; member++) {
                arguments[member] =
                        new Arguments(shape.sum() == Sum.OTHER, scaled ? 1 : 0, left, right, result, scratch, other);
            }
        }
        LIVE.incrementAndGet();
    }

    /** How many there are that are not destroyed. */
    static int live() {
        return LIVE.get();
    }

    /** See {@link Product#run}. */
    void run(int member, long left, long right, long result, long other) {
        Arguments of = arguments[member];
        OneDnn.dnnl_memory_set_data_handle(of.memories[0], left);
        OneDnn.dnnl_memory_set_data_handle(of.memories[1], right);
        OneDnn.dnnl_memory_set_data_handle(of.memories[2], result);
        if (scratchBytes > 0) {
            OneDnn.dnnl_memory_set_data_handle(of.memories[3], SCRATCHPADS[member].address(scratchBytes));
        }
        if (of.count == 5) {
            OneDnn.dnnl_memory_set_data_handle(of.memories[4], other);
        }
        check("product", OneDnn.dnnl_primitive_execute(handle, STREAMS[member], of.count, of.address));
    }

    /** Gives everything back, once. Nobody may run it then. */
    void destroy() {
        for (Arguments of : arguments) {
            of.destroy();
        }
        OneDnn.dnnl_primitive_destroy(handle);
        LIVE.decrementAndGet();
    }

    /** Matrices whose addresses are set anew for each run, by kind. */
    private static final class Arguments {
        final long[] memories;
        /** Of pairs of a kind and a memory. */
        final long address;

        final int count;

        /** @param addition which of the operations after the product adds the other matrix */
        Arguments(boolean addsOther, int addition, long left, long right, long result, long scratch, long other) {
            int[] kinds = {
                OneDnn.SOURCE,
                OneDnn.WEIGHTS,
                OneDnn.DESTINATION,
                OneDnn.SCRATCHPAD,
                OneDnn.FIRST_POST_OP * (addition + 1) | OneDnn.SECOND_SOURCE
            };
            memories = new long[] {memory(left), memory(right), memory(result), memory(scratch), memory(other)};
            count = addsOther ? 5 : 4;
            address = Native.malloc((long) ARGUMENT_BYTES * kinds.length);
            Pointer pairs = new Pointer(address);
            for (int i = 0; i < kinds.length; i++) {
                pairs.setInt((long) ARGUMENT_BYTES * i, kinds[i]);
                pairs.setLong((long) ARGUMENT_BYTES * i + 8, memories[i]);
            }
        }

        private static long memory(long descriptor) {
            return created("memory", into -> OneDnn.dnnl_memory_create(into, descriptor, OneDnn.engine(), 0));
        }

        void destroy() {
            for (long memory : memories) {
                OneDnn.dnnl_memory_destroy(memory);
            }
            Native.free(address);
        }
    }

    /** What only making a primitive needs; on a CPU that has none, it must not be left behind at each try. */
    private static final class Temporary implements AutoCloseable {
        private final Deque<Runnable> destructions = new ArrayDeque<>();

        long keep(long handle, LongConsumer destroy) {
            destructions.push(() -> destroy.accept(handle));
            return handle;
        }

        /** The descriptor of a matrix. */
        long matrix(Operand operand, long rows, long columns) {
            long[] strides = operand.transposed() ? new long[] {1, operand.stride()} : new long[] {operand.stride(), 1};
            return keep(
                    created(
                            "descriptor",
                            into -> OneDnn.dnnl_memory_desc_create_with_strides(
                                    into,
                                    2,
                                    new long[] {rows, columns},
                                    operand.type().code(),
                                    strides)),
                    OneDnn::dnnl_memory_desc_destroy);
        }

        @Override
        public void close() {
            destructions.forEach(Runnable::run);
        }
    }
}
