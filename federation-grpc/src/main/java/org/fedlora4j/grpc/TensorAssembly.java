package org.fedlora4j.grpc;

import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.grpc.wire.Chunk;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/**
 * Puts chunks together again. What is wanted is known beforehand, and nothing else is taken: parts, modules and shapes are
 * compared before memory is reserved, and each tensor's chunks come in order, once.
 */
final class TensorAssembly {
    private final PartValues wanted;
    private final SortedMap<Part, SortedMap<String, Matrix>> values = new TreeMap<>();

    /** Elements that are there, by tensor. */
    private final Map<String, Integer> received = new HashMap<>();

    /** @param wanted values of the parts and in the shapes that must come */
    TensorAssembly(PartValues wanted) {
        this.wanted = wanted;
    }

    /**
     * Takes the next chunk.
     *
     * @throws BadInputException if it isn't one that is wanted now
     */
    void add(Chunk chunk) {
        Part part = Part.named(chunk.getPart());
        require(wanted.parts().contains(part), "part " + part + ", wanted one of " + Chunks.names(wanted));
        Matrix shape = wanted.of(part).get(chunk.getModule());
        if (shape == null) {
            throw new BadInputException("module '" + chunk.getModule() + "', wanted one of "
                    + wanted.of(part).keySet());
        }
        String name = part + " of " + chunk.getModule();
        require(
                chunk.getRows() == shape.rows() && chunk.getColumns() == shape.columns(),
                name + ": shape [" + chunk.getRows() + ", " + chunk.getColumns() + "], wanted " + shape.shape());
        int begin = received.getOrDefault(name, 0);
        require(
                chunk.getOffset() == (long) Float.BYTES * begin,
                name + ": offset " + chunk.getOffset() + ", wanted " + (long) Float.BYTES * begin);
        int bytes = chunk.getData().size();
        int left = shape.values().length - begin;
        require(
                bytes > 0 && bytes <= Wire.CHUNK && bytes % Float.BYTES == 0 && bytes / Float.BYTES <= left,
                name + ": " + bytes + " bytes, wanted some of the " + (long) Float.BYTES * left + " left, at most "
                        + Wire.CHUNK);
        Matrix value = values.computeIfAbsent(part, modules -> new TreeMap<>())
                .computeIfAbsent(chunk.getModule(), module -> Matrix.zeros(shape.rows(), shape.columns()));
        chunk.getData()
                .asReadOnlyByteBuffer()
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(value.values(), begin, bytes / Float.BYTES);
        received.put(name, begin + bytes / Float.BYTES);
    }

    /**
     * All tensors.
     *
     * @throws BadInputException if one is missing or incomplete
     */
    PartValues complete() {
        wanted.values()
                .forEach((part, modules) -> modules.forEach((module, shape) -> {
                    String name = part + " of " + module;
                    int count = received.getOrDefault(name, 0);
                    require(
                            count == shape.values().length,
                            name + ": " + count + " values, wanted " + shape.values().length);
                }));
        return new PartValues(values);
    }

    private static void require(boolean condition, String problem) {
        if (!condition) {
            throw new BadInputException(problem);
        }
    }
}
