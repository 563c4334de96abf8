package org.fedlora4j.spark;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/**
 * Values as bytes: float32 without names, in order of part and module, for both sides know which parts and shapes a phase
 * shares.
 */
final class Wire {
    private Wire() {}

    static byte[] bytes(PartValues values) {
        ByteBuffer bytes = ByteBuffer.allocate(length(values));
        values.values()
                .values()
                .forEach(modules -> modules.values().forEach(value -> {
                    bytes.asFloatBuffer().put(value.values());
                    bytes.position(bytes.position() + Float.BYTES * value.values().length);
                }));
        return bytes.array();
    }

    /**
     * Reads what {@link #bytes} wrote.
     *
     * @param wanted values of the same parts, modules and shapes
     */
    static PartValues values(byte[] bytes, PartValues wanted) {
        if (bytes.length != length(wanted)) {
            throw new IllegalArgumentException(
                    "values of " + bytes.length + " bytes, wanted " + length(wanted) + " for " + wanted.parts());
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        SortedMap<Part, SortedMap<String, Matrix>> values = new TreeMap<>();
        for (Map.Entry<Part, SortedMap<String, Matrix>> part : wanted.values().entrySet()) {
            SortedMap<String, Matrix> modules = new TreeMap<>();
            part.getValue().forEach((module, shape) -> {
                Matrix value = Matrix.zeros(shape.rows(), shape.columns());
                buffer.asFloatBuffer().get(value.values());
                buffer.position(buffer.position() + Float.BYTES * value.values().length);
                modules.put(module, value);
            });
            values.put(part.getKey(), modules);
        }
        return new PartValues(values);
    }

    private static int length(PartValues values) {
        return Math.toIntExact(values.bytes(ClientData.FULL_RANK));
    }
}
