package org.fedlora4j.model.exec;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One block of the backend's memory from which arrays are cut at fixed offsets. Whoever closes it makes sure that none of
 * its arrays is used afterwards.
 */
public interface Arena extends AutoCloseable {
    /** Every array starts at a multiple of this many bytes: a cache line, and the widest vector. */
    int ALIGNMENT = 64;

    /** An uninitialised block. */
    static Arena of(long bytes) {
        return Backend.active().sharesMemory() ? new HostArena(bytes) : new DeviceArena(bytes);
    }

    long bytes();

    /** The array at {@code offset} bytes; its contents are whatever stood there. */
    INDArray array(long offset, DataType type, long... shape);

    /** Overwrites everything, for tests that prove that nothing stale is read. */
    void fill(float value);

    @Override
    void close();

    /** The next multiple of {@link #ALIGNMENT}. */
    static long align(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Checks that an array lies inside a block. */
    static void requireInside(long offset, DataType type, long[] shape, long bytes) {
        long length = 1;
        for (long size : shape) {
            length *= size;
        }
        if (offset < 0 || offset + length * type.width() > bytes) {
            throw new IllegalArgumentException(
                    "array of " + length * type.width() + " bytes at " + offset + " is outside the arena's " + bytes);
        }
    }
}
