package org.fedlora4j.grpc;

import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.grpc.wire.Chunk;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/** Tensors cut into messages, in order of part, module and offset. One chunk is in memory at a time. */
final class Chunks {
    private static final int VALUES = Wire.CHUNK / Float.BYTES;

    private Chunks() {}

    static Iterator<Chunk> of(PartValues values) {
        return values.values().entrySet().stream()
                .flatMap(part -> part.getValue().entrySet().stream()
                        .flatMap(module -> of(part.getKey(), module.getKey(), module.getValue())))
                .iterator();
    }

    private static Stream<Chunk> of(Part part, String module, Matrix value) {
        int count = value.values().length;
        return IntStream.iterate(0, begin -> begin < count, begin -> begin + VALUES)
                .mapToObj(begin -> Chunk.newBuilder()
                        .setPart(part.toString())
                        .setModule(module)
                        .setRows(value.rows())
                        .setColumns(value.columns())
                        .setOffset((long) Float.BYTES * begin)
                        .setData(UnsafeByteOperations.unsafeWrap(
                                bytes(value.values(), begin, Math.min(VALUES, count - begin))))
                        .build());
    }

    private static byte[] bytes(float[] values, int begin, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * count).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values, begin, count);
        return bytes.array();
    }

    /** The names of the parts that values are of. */
    static List<String> names(PartValues values) {
        return values.parts().stream().map(Part::toString).toList();
    }
}
