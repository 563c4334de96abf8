package org.fedlora4j.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.fedlora4j.model.exec.Backend;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.TensorInfo;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A checkpoint's weights as arrays in the file's type: views of the mapped file where the backend can read it. Else copies in
 * the backend's memory, each made when it is first asked for, by pieces, so that the Java heap never holds a weight.
 */
final class SourceWeights implements AutoCloseable {
    /** Elements of a piece: 16 MiB of floats. */
    private static final int PIECE = 1 << 22;

    private final boolean mapped = Backend.active().sharesMemory();
    private final Checkpoint checkpoint;
    private final Map<String, INDArray> arrays = new HashMap<>();

    SourceWeights(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /** Makes a weight's array, unless there is one. */
    INDArray open(String name) throws IOException {
        INDArray array = arrays.get(name);
        if (array == null) {
            array = mapped ? checkpoint.weight(name) : copy(name);
            arrays.put(name, array);
        }
        return array;
    }

    /** The array of an open weight. */
    INDArray get(String name) {
        return Objects.requireNonNull(arrays.get(name), () -> name + " isn't open");
    }

    /** Gives a weight's memory back, for it was copied elsewhere: the file's pages until they are read again, or the copy. */
    void release(String name) {
        if (mapped) {
            checkpoint.evict(name);
        } else {
            Objects.requireNonNull(arrays.remove(name), name).close();
        }
    }

    private INDArray copy(String name) throws IOException {
        TensorInfo info = checkpoint.info(name);
        INDArray array = Nd4j.createUninitialized(type(info.type()), info.shape());
        int piece = (int) Math.min(PIECE, info.elements());
        ByteBuffer bytes = ByteBuffer.allocate(piece * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long begin = 0; begin < info.elements(); begin += piece) {
            float[] values = new float[(int) Math.min(piece, info.elements() - begin)];
            // Widened here and narrowed there, both exactly: ND4J takes no other type from the heap.
            checkpoint.read(name, begin, ElementType.F32, bytes.clear().limit(values.length * Float.BYTES));
            bytes.flip().asFloatBuffer().get(values);
            NativeArrays.writeAt(values, array, begin);
        }
        return array;
    }

    private static DataType type(ElementType type) {
        return switch (type) {
            case F32 -> DataType.FLOAT;
            case BF16 -> DataType.BFLOAT16;
            case F16 -> DataType.FLOAT16;
            default -> throw new IllegalArgumentException(type + "; wanted a type that checkpoints may have");
        };
    }

    @Override
    public void close() {
        if (!mapped) {
            arrays.values().forEach(INDArray::close);
        }
    }
}
