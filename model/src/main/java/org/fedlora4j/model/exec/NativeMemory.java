package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Aligned arrays in the backend's memory that are freed together. */
public final class NativeMemory implements AutoCloseable {
    private final List<Arena> arenas = new ArrayList<>();

    /** An uninitialised array of its own. */
    public INDArray array(DataType type, long... shape) {
        long bytes = type.width();
        for (long size : shape) {
            bytes = Math.multiplyExact(bytes, size);
        }
        return arena(bytes).array(0, type, shape);
    }

    /** An uninitialised float array of its own. */
    public INDArray floats(long... shape) {
        return array(DataType.FLOAT, shape);
    }

    /** A block of its own. */
    public Arena arena(long bytes) {
        Arena arena = Arena.of(bytes);
        arenas.add(arena);
        return arena;
    }

    /** The bytes of everything. */
    public long bytes() {
        return arenas.stream().mapToLong(Arena::bytes).sum();
    }

    /** Overwrites everything, for tests that prove that nothing stale is read. */
    public void fill(float value) {
        arenas.forEach(arena -> arena.fill(value));
    }

    @Override
    public void close() {
        arenas.forEach(Arena::close);
    }
}
