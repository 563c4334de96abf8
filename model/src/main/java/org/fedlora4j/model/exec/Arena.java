package org.fedlora4j.model.exec;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

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

    private final INDArray block;
    private final long start;
    private final long bytes;

    public Arena(long bytes) {
        this.bytes = bytes;
        this.block = Nd4j.createUninitialized(DataType.FLOAT, (bytes + ALIGNMENT) / Float.BYTES + 1);
        this.start = align(block.data().address());
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
        block.assign(value);
    }

    @Override
    public void close() {
        block.close();
    }

    /** The next multiple of {@link #ALIGNMENT}. */
    public static long align(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
}
