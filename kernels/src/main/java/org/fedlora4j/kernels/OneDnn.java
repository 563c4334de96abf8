package org.fedlora4j.kernels;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/**
 * The part of oneDNN's C interface (<a href="https://uxlfoundation.github.io/oneDNN/">version 3</a>) that products need.
 * Handles and addresses are longs. The library comes in a jar and is unpacked once, into JavaCPP's cache.
 *
 * <p>ND4J has a oneDNN of its own inside, version 2.3, whose symbols have the same names. So this one is loaded with local
 * symbols: neither sees the other's.
 */
final class OneDnn {
    static final int SOURCE = 1;
    static final int SECOND_SOURCE = 2;
    static final int WEIGHTS = 33;
    static final int DESTINATION = 17;
    static final int SCRATCHPAD = 80;
    static final int FIRST_POST_OP = 32_768;
    static final int SCRATCHPAD_QUERY = 136;
    private static final int IMPLEMENTATION_QUERY = 8;
    static final int BINARY_ADD = 0x1fff0;
    static final int LINEAR = 0x26;
    static final int USER_SCRATCHPAD = 1;
    private static final int CPU = 1;
    private static final int IN_ORDER = 1;
    private static final int UNIMPLEMENTED = 3;
    private static final int RTLD_LAZY_LOCAL = 1;
    /** Tiles, and tiles of int8 and of bf16, in dnnl_cpu_isa_t. */
    private static final int AMX = 0xe00;

    private static final @Nullable String FAILURE = load();
    private static long engine;

    private OneDnn() {}

    /** Why the library can't be used here, or null where it can. */
    static @Nullable String failure() {
        return FAILURE;
    }

    /** Its version, such as {@code 3.8.1}. */
    static String version() {
        Pointer version = dnnl_version();
        return version.getInt(0) + "." + version.getInt(Integer.BYTES) + "." + version.getInt(2 * Integer.BYTES);
    }

    /**
     * Whether it uses AMX. It asks the kernel for the tiles itself, and obeys the variable {@code ONEDNN_MAX_CPU_ISA}.
     */
    static boolean hasAmx() {
        return (dnnl_get_effective_cpu_isa() & AMX) == AMX;
    }

    /** The CPU. */
    static long engine() {
        return engine;
    }

    /** A new stream, for one thread. */
    static long stream() {
        return created("stream", handle -> dnnl_stream_create(handle, engine, IN_ORDER));
    }

    private static @Nullable String load() {
        if (!Platform.isLinux() || !Platform.ARCH.equals("x86-64")) {
            return "no oneDNN for " + System.getProperty("os.name") + " on " + Platform.ARCH;
        }
        try {
            open("opencl", "libOpenCL.so.1");
            NativeLibrary threads = open("dnnl", "libgomp.so.1");
            Native.register(Threads.class, threads);
            Native.register(OneDnn.class, open("dnnl", "libdnnl.so.3"));
            engine = created("engine", handle -> dnnl_engine_create(handle, CPU, 0));
            // It keeps a thousand primitives that were destroyed, in case equal ones are wanted; we keep our own.
            check("cache", dnnl_set_primitive_cache_capacity(0));
            return null;
        } catch (IOException | UnsatisfiedLinkError e) {
            return "oneDNN can't be loaded: " + e.getMessage();
        }
    }

    private static NativeLibrary open(String artifact, String name) throws IOException {
        String resource = "/org/bytedeco/" + artifact + "/linux-x86_64/" + name;
        URL url = OneDnn.class.getResource(resource);
        if (url == null) {
            throw new IOException(resource + " is not on the class path");
        }
        File file = Loader.cacheResource(url);
        return NativeLibrary.getInstance(file.getPath(), Map.of(Library.OPTION_OPEN_FLAGS, RTLD_LAZY_LOCAL));
    }

    /** A call that writes a handle. */
    interface Creation {
        int into(long[] handle);
    }

    static long created(String what, Creation creation) {
        long[] handle = new long[1];
        check(what, creation.into(handle));
        return handle[0];
    }

    /** @throws UnsupportedOperationException if oneDNN does not have it on this CPU */
    static void check(String what, int status) {
        if (status == UNIMPLEMENTED) {
            throw new UnsupportedOperationException("oneDNN has no " + what + " on this CPU");
        }
        if (status != 0) {
            throw new IllegalStateException("oneDNN: " + what + " failed with status " + status);
        }
    }

    /** A primitive is made for as many threads as its maker may use. */
    static <T> T withOneThread(Supplier<T> make) {
        int threads = Threads.omp_get_max_threads();
        Threads.omp_set_num_threads(1);
        try {
            return make.get();
        } finally {
            Threads.omp_set_num_threads(threads);
        }
    }

    /** The OpenMP library that oneDNN uses. */
    private static final class Threads {
        private static native int omp_get_max_threads();

        private static native void omp_set_num_threads(int threads);
    }

    private static native Pointer dnnl_version();

    private static native int dnnl_get_effective_cpu_isa();

    private static native int dnnl_set_primitive_cache_capacity(int capacity);

    private static native int dnnl_engine_create(long[] engine, int kind, long index);

    private static native int dnnl_stream_create(long[] stream, long engine, int flags);

    static native int dnnl_memory_desc_create_with_strides(
            long[] descriptor, int dimensions, long[] sizes, int type, long[] strides);

    static native int dnnl_memory_desc_destroy(long descriptor);

    static native long dnnl_memory_desc_get_size(long descriptor);

    static native int dnnl_post_ops_create(long[] postOps);

    static native int dnnl_post_ops_append_sum(long postOps, float scale, int zeroPoint, int type);

    static native int dnnl_post_ops_append_eltwise(long postOps, int algorithm, float alpha, float beta);

    static native int dnnl_post_ops_append_binary(long postOps, int algorithm, long descriptor);

    static native int dnnl_post_ops_destroy(long postOps);

    static native int dnnl_primitive_attr_create(long[] attributes);

    static native int dnnl_primitive_attr_set_scratchpad_mode(long attributes, int mode);

    static native int dnnl_primitive_attr_set_post_ops(long attributes, long postOps);

    static native int dnnl_primitive_attr_destroy(long attributes);

    static native int dnnl_matmul_primitive_desc_create(
            long[] descriptor, long engine, long source, long weights, long bias, long destination, long attributes);

    static native long dnnl_primitive_desc_query_md(long descriptor, int what, int index);

    static native int dnnl_primitive_desc_destroy(long descriptor);

    private static native int dnnl_primitive_desc_query(
            long descriptor, int what, int index, PointerByReference result);

    /** The name of the implementation that oneDNN has chosen, such as {@code brg_matmul:avx512_core_amx}. */
    static String implementation(long descriptor) {
        PointerByReference name = new PointerByReference();
        check("query", dnnl_primitive_desc_query(descriptor, IMPLEMENTATION_QUERY, 0, name));
        return name.getValue().getString(0);
    }

    static native int dnnl_primitive_create(long[] primitive, long descriptor);

    static native int dnnl_primitive_destroy(long primitive);

    static native int dnnl_primitive_execute(long primitive, long stream, int arguments, long address);

    static native int dnnl_memory_create(long[] memory, long descriptor, long engine, long address);

    static native int dnnl_memory_destroy(long memory);

    static native int dnnl_memory_set_data_handle(long memory, long address);
}
