package org.fedlora4j.model.exec;

import java.lang.ref.Cleaner;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A block of the process's own memory; arrays of all types lie in it side by side. */
final class HostArena implements Arena {
    static {
        NativeRuntime.ensure();
    }

    private static final Cleaner CLEANER = Cleaner.create();

    private final long start;
    private final long bytes;
    private final Cleaner.Cleanable memory;

    HostArena(long bytes) {
        long blockBytes = Arena.align(bytes) + ALIGNMENT;
        long block = Pages.allocate(blockBytes);
        this.bytes = bytes;
        this.start = Arena.align(block);
        this.memory = CLEANER.register(this, () -> Pages.free(block, blockBytes));
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public INDArray array(long offset, DataType type, long... shape) {
        Arena.requireInside(offset, type, shape, bytes);
        return NativeArrays.wrap(start + offset, type, shape);
    }

    @Override
    public void fill(float value) {
        NativeArrays.wrap(start, DataType.FLOAT, Arena.align(bytes) / Float.BYTES)
                .assign(value);
    }

    @Override
    public void close() {
        memory.clean();
    }
}
