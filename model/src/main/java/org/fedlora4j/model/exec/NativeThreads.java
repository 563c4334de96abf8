package org.fedlora4j.model.exec;

import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * How many threads share the work of one native operation; of those that the calling thread starts. All processors by
 * default. A tiny model is faster with one, for its operations take no longer than the threads take to meet.
 */
public final class NativeThreads {
    static {
        NativeRuntime.ensure();
    }

    private NativeThreads() {}

    public static int get() {
        return operations().ompGetMaxThreads();
    }

    public static void set(int threads) {
        operations().setOmpNumThreads(threads);
    }

    private static NativeOps operations() {
        // The holder finds its library only after the backend was chosen.
        Nd4j.getBackend();
        return NativeOpsHolder.getInstance().getDeviceNativeOps();
    }
}
