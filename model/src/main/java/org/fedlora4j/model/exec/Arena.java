package org.fedlora4j.model.exec;

import java.lang.ref.Cleaner;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One block of native memory from which arrays are cut at fixed offsets. Whoever closes it makes sure that none of its
 * arrays is used afterwards.
 */
public final class Arena implements AutoCloseable {
    /** Every array starts at a multiple of this many bytes: a cache line, and the widest vector. */
    public static final int ALIGNMENT = 64;

    static {
        NativeRuntime.ensure();
    }

    private static final Cleaner CLEANER = Cleaner.create();

    private final long start;
    private final long bytes;
    private final Cleaner.Cleanable memory;

    public Arena(long bytes) {
        long blockBytes = align(bytes) + ALIGNMENT;
        long block = Pages.allocate(blockBytes);
        this.bytes = bytes;
        this.start = align(block);
        this.memory = CLEANER.register(this, () -> Pages.free(block, blockBytes));
    }

    public long bytes() {
        return bytes;
    }

    /** The array at {@code offset} bytes; its contents are whatever stood there. */
    public INDArray array(long offset, DataType type, long... shape) {
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        if (offset < 0 || offset + length * type.width() > bytes) {
            throw new IllegalArgumentException(
                    "array of " + length * type.width() + " bytes at " + offset + " is outside the arena's " + bytes);
        }
        return NativeArrays.wrap(start + offset, type, shape);
    }

    /** Overwrites everything, for tests that prove that nothing stale is read. */
    public void fill(float value) {
        NativeArrays.wrap(start, DataType.FLOAT, align(bytes) / Float.BYTES).assign(value);
    }

    @Override
    public void close() {
        memory.clean();
    }

    /** The next multiple of {@link #ALIGNMENT}. */
    public static long align(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
