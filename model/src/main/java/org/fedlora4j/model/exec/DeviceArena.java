package org.fedlora4j.model.exec;

import java.util.EnumMap;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A block of ND4J's own memory, a GPU's for one. ND4J's buffers have one type each, so there is a block for each type that is
 * asked for, all but for float32 seldom; what is cut are ordinary views.
 */
final class DeviceArena implements Arena {
    static {
        NativeRuntime.ensure();
    }

    private final long bytes;
    private final Map<DataType, INDArray> blocks = new EnumMap<>(DataType.class);

    DeviceArena(long bytes) {
        this.bytes = bytes;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public INDArray array(long offset, DataType type, long... shape) {
        Arena.requireInside(offset, type, shape, bytes);
        INDArray block = blocks.computeIfAbsent(
                type, key -> Nd4j.createUninitialized(key, (bytes + key.width() - 1) / key.width()));
        return DeviceArrays.view(block, offset / type.width(), shape);
    }

    @Override
    public void fill(float value) {
        blocks.values().forEach(block -> block.assign(value));
    }

    @Override
    public void close() {
        blocks.values().forEach(INDArray::close);
        blocks.clear();
    }
}
