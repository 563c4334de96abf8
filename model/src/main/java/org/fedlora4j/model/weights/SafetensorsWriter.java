package org.fedlora4j.model.weights;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.fedlora4j.common.AtomicFiles;

/**
 * Writes a safetensors file, tensor by tensor, so that no tensor need be in memory. The same tensors give the same
 * bytes whatever the order in which they were added: wider types come first and names ascend, as in the reference
 * implementation. The data begins on a boundary of 64 bytes, unless the header is {@link #shortHeader short}.
 */
public final class SafetensorsWriter {
    private static final int ALIGNMENT = 64;
    private static final int SHORT_ALIGNMENT = 8;
    private static final int CHUNK_ELEMENTS = 1 << 16;

    private final Map<String, String> metadata = new TreeMap<>();
    private final Map<String, Tensor> tensors = new TreeMap<>();
    private int headerAlignment = ALIGNMENT;
    private boolean aligned;

    /** Writes a tensor's elements, row-major and little-endian, and nothing else. */
    @FunctionalInterface
    public interface Source {
        void writeTo(OutputStream out) throws IOException;
    }

    private record Tensor(String name, ElementType type, List<Long> shape, long bytes, Source source) {}

    /** Adds a text for those who read the file. */
    public SafetensorsWriter metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    /**
     * Adds a tensor whose bytes are asked for when the file is written.
     *
     * @throws IllegalArgumentException if the name is taken or reserved, or the shape is none
     */
    public SafetensorsWriter tensor(String name, ElementType type, long[] shape, Source source) {
        if (name.equals(SafetensorsHeader.METADATA) || name.startsWith(SafetensorsHeader.PADDING)) {
            throw new IllegalArgumentException(name + ": the name is reserved");
        }
        List<Long> sizes = Arrays.stream(shape).boxed().toList();
        long bytes = TensorInfo.byteSize(type, shape);
        if (tensors.putIfAbsent(name, new Tensor(name, type, sizes, bytes, source)) != null) {
            throw new IllegalArgumentException(name + ": added twice");
        }
        return this;
    }

    /** Adds an F32 tensor; the values are read when the file is written. */
    public SafetensorsWriter floats(String name, long[] shape, float[] values) {
        if (TensorInfo.byteSize(ElementType.F32, shape) != 4L * values.length) {
            throw new IllegalArgumentException(name + ": " + values.length + " values for " + Arrays.toString(shape));
        }
        return tensor(name, ElementType.F32, shape, out -> writeFloats(values, out));
    }

    /**
     * Puts every tensor on a boundary of 64 bytes, for files that are mapped into memory. The format knows no gaps, so
     * where one is needed a tensor of bytes fills it; in models whose sizes are multiples of 32 none is.
     */
    public SafetensorsWriter aligned() {
        aligned = true;
        return this;
    }

    /** Fills the header up to a boundary of 8 bytes only, as the reference implementation does: the file is as long as its. */
    public SafetensorsWriter shortHeader() {
        headerAlignment = SHORT_ALIGNMENT;
        return this;
    }

    /** Writes the file; it appears whole or not at all. */
    public void write(Path file) throws IOException {
        AtomicFiles.writeStream(file, this::writeTo);
    }

    /** Writes the file's bytes. */
    public void writeTo(OutputStream out) throws IOException {
        List<Tensor> layout = layout();
        out.write(header(layout));
        for (Tensor tensor : layout) {
            CountingStream counted = new CountingStream(out);
            tensor.source.writeTo(counted);
            if (counted.bytes != tensor.bytes) {
                throw new IllegalStateException(
                        tensor.name + ": its source wrote " + counted.bytes + " bytes; wanted " + tensor.bytes);
            }
        }
    }

    /** The names of the tensors that were added, in the order in which they will be asked for their bytes. */
    public List<String> order() {
        return sorted().map(Tensor::name).toList();
    }

    /** The length of the file in bytes. */
    public long length() {
        List<Tensor> layout = layout();
        return header(layout).length + layout.stream().mapToLong(Tensor::bytes).sum();
    }

    private Stream<Tensor> sorted() {
        return tensors.values().stream()
                .sorted(Comparator.comparingInt((Tensor tensor) -> -tensor.type.bytes())
                        .thenComparing(Tensor::name));
    }

    /** The tensors in the order of the file, with the filling between them. */
    private List<Tensor> layout() {
        List<Tensor> layout = new ArrayList<>();
        long end = 0;
        for (Tensor tensor : sorted().toList()) {
            int gap = (int) Math.floorMod(-end, (long) ALIGNMENT);
            if (aligned && gap > 0) {
                String name = SafetensorsHeader.PADDING + layout.size();
                layout.add(new Tensor(
                        name, ElementType.U8, List.of((long) gap), gap, stream -> stream.write(new byte[gap])));
                end += gap;
            }
            layout.add(tensor);
            end = Math.addExact(end, tensor.bytes);
        }
        return layout;
    }

    private byte[] header(List<Tensor> layout) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        if (!metadata.isEmpty()) {
            metadata.forEach(json.putObject(SafetensorsHeader.METADATA)::put);
        }
        long begin = 0;
        for (Tensor tensor : layout) {
            ObjectNode entry = json.putObject(tensor.name);
            entry.put("dtype", tensor.type.name());
            tensor.shape.forEach(entry.putArray("shape")::add);
            entry.putArray("data_offsets").add(begin).add(begin + tensor.bytes);
            begin += tensor.bytes;
        }
        byte[] text = json.toString().getBytes(StandardCharsets.UTF_8);
        int padded = (Long.BYTES + text.length + headerAlignment - 1) / headerAlignment * headerAlignment;
        ByteBuffer header = ByteBuffer.allocate(padded).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(padded - Long.BYTES).put(text);
        Arrays.fill(header.array(), header.position(), padded, (byte) ' ');
        return header.array();
    }

    private static void writeFloats(float[] values, OutputStream out) throws IOException {
        byte[] bytes = new byte[Math.min(values.length, CHUNK_ELEMENTS) * Float.BYTES];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int begin = 0; begin < values.length; begin += CHUNK_ELEMENTS) {
            int count = Math.min(CHUNK_ELEMENTS, values.length - begin);
            buffer.asFloatBuffer().put(values, begin, count);
            out.write(bytes, 0, count * Float.BYTES);
        }
    }

    /** Counts what a source writes. */
    private static final class CountingStream extends FilterOutputStream {
        private long bytes;

        CountingStream(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int value) throws IOException {
            out.write(value);
            bytes++;
        }

        @Override
        public void write(byte[] values, int offset, int length) throws IOException {
            out.write(values, offset, length);
            bytes += length;
        }
    }
}
