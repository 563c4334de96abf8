package org.fedlora4j.converter.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Writes a GGUF file of version 3, little-endian, tensor by tensor, so that no tensor need be in memory. Keys and tensors
 * are in the order in which they were added.
 */
public final class GgufWriter {
    private static final int VERSION = 3;

    private final ByteArrayOutputStream keys = new ByteArrayOutputStream();
    private final Set<String> names = new HashSet<>();
    private final List<Tensor> tensors = new ArrayList<>();
    private int keyCount;

    /** Writes all of a tensor's bytes, and nothing else. */
    @FunctionalInterface
    public interface Source {
        void writeTo(OutputStream out) throws IOException;
    }

    private record Tensor(String name, GgufType type, List<Long> shape, long bytes, Source source) {}

    public GgufWriter text(String key, String value) {
        return value(key, GgufValueType.STRING, put(value));
    }

    /** Adds an unsigned integer of 32 bits. */
    public GgufWriter integer(String key, int value) {
        return value(key, GgufValueType.UINT32, put(Integer.BYTES, bytes -> bytes.putInt(value)));
    }

    /** Adds a float32. */
    public GgufWriter number(String key, double value) {
        return value(key, GgufValueType.FLOAT32, put(Float.BYTES, bytes -> bytes.putFloat((float) value)));
    }

    public GgufWriter bool(String key, boolean value) {
        return value(key, GgufValueType.BOOL, new byte[] {(byte) (value ? 1 : 0)});
    }

    public GgufWriter texts(String key, List<String> values) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        values.forEach(value -> bytes.writeBytes(put(value)));
        return array(key, GgufValueType.STRING, values.size(), bytes.toByteArray());
    }

    public GgufWriter floats(String key, float[] values) {
        byte[] bytes = put(
                values.length * Float.BYTES, buffer -> buffer.asFloatBuffer().put(values));
        return array(key, GgufValueType.FLOAT32, values.length, bytes);
    }

    public GgufWriter integers(String key, int[] values) {
        byte[] bytes = put(
                values.length * Integer.BYTES, buffer -> buffer.asIntBuffer().put(values));
        return array(key, GgufValueType.INT32, values.length, bytes);
    }

    /**
     * Adds a tensor whose bytes are asked for when the file is written.
     *
     * @param shape as in Hugging Face's checkpoints, the last dimension contiguous and a multiple of the type's block
     */
    public GgufWriter tensor(String name, GgufType type, List<Long> shape, Source source) {
        long columns = shape.get(shape.size() - 1);
        if (columns % type.blockElements() != 0) {
            throw new IllegalArgumentException(name + ": rows of " + columns + " elements can't be " + type);
        }
        if (!names.add(name)) {
            throw new IllegalArgumentException(name + ": added twice");
        }
        long elements = shape.stream().reduce(1L, Math::multiplyExact);
        tensors.add(new Tensor(name, type, List.copyOf(shape), type.bytes(elements), source));
        return this;
    }

    /** Bytes of the file. */
    public long length() {
        int headerBytes = header().length;
        return tensors.stream()
                .mapToLong(tensor -> tensor.bytes + gap(tensor.bytes))
                .reduce(headerBytes + gap(headerBytes), Math::addExact);
    }

    /** Writes the file's bytes. */
    public void writeTo(OutputStream out) throws IOException {
        byte[] header = header();
        out.write(header);
        out.write(new byte[gap(header.length)]);
        for (Tensor tensor : tensors) {
            tensor.source.writeTo(out);
            out.write(new byte[gap(tensor.bytes)]);
        }
    }

    private byte[] header() {
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        header.writeBytes(put(
                3 * Long.BYTES,
                bytes -> bytes.putInt(GgufFile.MAGIC)
                        .putInt(VERSION)
                        .putLong(tensors.size())
                        .putLong(keyCount)));
        header.writeBytes(keys.toByteArray());
        long begin = 0;
        for (Tensor tensor : tensors) {
            header.writeBytes(put(tensor.name));
            int dimensions = tensor.shape.size();
            long offset = begin;
            header.writeBytes(put(2 * Integer.BYTES + (dimensions + 1) * Long.BYTES, bytes -> {
                bytes.putInt(dimensions);
                for (int i = dimensions - 1; i >= 0; i--) {
                    bytes.putLong(tensor.shape.get(i));
                }
                bytes.putInt(tensor.type.number()).putLong(offset);
            }));
            begin += tensor.bytes + gap(tensor.bytes);
        }
        return header.toByteArray();
    }

    private static int gap(long bytes) {
        return Math.floorMod(-bytes, GgufFile.DEFAULT_ALIGNMENT);
    }

    private GgufWriter array(String key, GgufValueType type, int length, byte[] content) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(put(
                Integer.BYTES + Long.BYTES,
                buffer -> buffer.putInt(type.number()).putLong(length)));
        bytes.writeBytes(content);
        return value(key, GgufValueType.ARRAY, bytes.toByteArray());
    }

    private GgufWriter value(String key, GgufValueType type, byte[] content) {
        if (!names.add(key)) {
            throw new IllegalArgumentException(key + ": added twice");
        }
        keys.writeBytes(put(key));
        keys.writeBytes(put(Integer.BYTES, bytes -> bytes.putInt(type.number())));
        keys.writeBytes(content);
        keyCount++;
        return this;
    }

    private static byte[] put(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return put(
                Long.BYTES + bytes.length,
                buffer -> buffer.putLong(bytes.length).put(bytes));
    }

    private static byte[] put(int size, Consumer<ByteBuffer> content) {
        ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        content.accept(bytes);
        return bytes.array();
    }
}
