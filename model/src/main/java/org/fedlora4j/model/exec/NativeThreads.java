package org.fedlora4j.model.exec;

import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * How many threads share the work of one native operation; of those that the calling thread starts. All processors by
 * default. A tiny model is faster with one, for its operations take no longer than the threads take to meet.
 *
 * <p>On a GPU there is nothing to share: one, whatever is set. ND4J's CUDA library would take the number for that of threads
 * in a block of the GPU.
 */
public final class NativeThreads {
    static {
        NativeRuntime.ensure();
    }

    private NativeThreads() {}

    public static int get() {
        return Backend.active() == Backend.CPU ? operations().ompGetMaxThreads() : 1;
    }

    public static void set(int threads) {
        if (Backend.active() == Backend.CPU) {
            operations().setOmpNumThreads(threads);
        }
    }

    private static NativeOps operations() {
        // The holder finds its library only after the backend was chosen.
        Nd4j.getBackend();
        return NativeOpsHolder.getInstance().getDeviceNativeOps();
    }
}
