package org.fedlora4j.converter.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;
import org.fedlora4j.model.weights.FileBytes;

/**
 * A GGUF file (github.com/ggml-org/ggml, {@code docs/gguf.md}), version 2 or 3, little-endian, open for reading. Its
 * header is checked in full against the file's length when it is opened. Safe for use by several threads.
 */
public final class GgufFile implements AutoCloseable {
    /** The file's first four bytes, {@code GGUF}, as an integer. */
    static final int MAGIC = 0x46554747;

    static final String ALIGNMENT_KEY = "general.alignment";
    static final int DEFAULT_ALIGNMENT = 32;

    private static final int MAX_DIMENSIONS = 4;

    /** Of a key: the length of its text, the type, a byte. */
    private static final int LEAST_KEY_BYTES = Long.BYTES + Integer.BYTES + Byte.BYTES;

    /** Of a tensor: the length of its name, the number of dimensions, one of these, the type, the offset. */
    private static final int LEAST_TENSOR_BYTES = 3 * Long.BYTES + 2 * Integer.BYTES;

    private final Path path;
    private final FileChannel channel;
    private final GgufMetadata metadata;
    private final Map<String, GgufTensor> tensors;

    private GgufFile(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        GgufCursor cursor = new GgufCursor(path.toString(), channel);
        if (channel.size() < Integer.BYTES || cursor.int32() != MAGIC) {
            throw new BadInputException(path + ": does not begin with GGUF; wanted a GGUF file");
        }
        int version = cursor.int32();
        if (version != 2 && version != 3) {
            throw new BadInputException(
                    path + ": version is " + Integer.toUnsignedString(version) + "; wanted 2 or 3, little-endian");
        }
        int tensorCount = cursor.count("the number of tensors", LEAST_TENSOR_BYTES);
        int keyCount = cursor.count("the number of keys", LEAST_KEY_BYTES);
        this.metadata = GgufMetadata.read(path.toString(), cursor, keyCount);
        this.tensors = readTensors(cursor, tensorCount);
    }

    /**
     * Opens a file and checks its header.
     *
     * @throws BadInputException if there is no such file or it is not sound, or a tensor is of a type that is not read
     */
    public static GgufFile open(Path path) throws IOException {
        InputFiles.require(path, "a GGUF file");
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new GgufFile(path, channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** Whether a file begins as GGUF does. */
    public static boolean isGguf(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return channel.size() >= Integer.BYTES && new GgufCursor(path.toString(), channel).int32() == MAGIC;
        }
    }

    public Path path() {
        return path;
    }

    public GgufMetadata metadata() {
        return metadata;
    }

    /** Every tensor by name, in the header's order. */
    public Map<String, GgufTensor> tensors() {
        return tensors;
    }

    /**
     * Fills the buffer with a tensor's elements, row-major and little-endian; quantised ones get the values that ggml's
     * reference gives them.
     *
     * @param begin the first element, a multiple of the type's block
     * @param type F32, F16 or BF16; the values are rounded to it
     * @param out has room for whole elements, in a multiple of the type's block; full afterwards
     * @throws BadInputException if a value is beyond the type's range
     */
    public void read(GgufTensor tensor, long begin, ElementType type, ByteBuffer out) throws IOException {
        int elements = out.remaining() / type.bytes();
        ByteBuffer from = FileBytes.read(channel, tensor.begin() + tensor.type().bytes(begin), (int)
                tensor.type().bytes(elements));
        try {
            if (tensor.type().isQuantised()) {
                float[] values = new float[elements];
                Quantisation.decode(from, tensor.type(), values);
                Elements.encode(values, type, out);
            } else {
                Elements.convert(from, tensor.type().exact(), out, type);
            }
        } catch (BadInputException e) {
            throw new BadInputException(path + ": " + tensor.name() + " " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private Map<String, GgufTensor> readTensors(GgufCursor cursor, int count) throws IOException {
        long alignment = metadata.integer(ALIGNMENT_KEY).orElse(DEFAULT_ALIGNMENT);
        if (Long.bitCount(alignment) != 1) {
            throw metadata.wrong(ALIGNMENT_KEY, "a power of two");
        }
        Map<String, GgufTensor> relative = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            GgufTensor tensor = readTensor(cursor, i, alignment);
            if (relative.putIfAbsent(tensor.name(), tensor) != null) {
                throw new BadInputException(path + ": " + tensor.name() + " is there twice; wanted once");
            }
        }
        long dataBegin = (cursor.position() + alignment - 1) / alignment * alignment;
        long fileBytes = channel.size();
        Map<String, GgufTensor> placed = new LinkedHashMap<>();
        relative.forEach((name, tensor) -> placed.put(name, place(tensor, dataBegin, fileBytes)));
        requireApart(new ArrayList<>(placed.values()));
        return Collections.unmodifiableMap(placed);
    }

    /** With {@code begin} and {@code end} counted from the data's first byte, which is not known yet. */
    private GgufTensor readTensor(GgufCursor cursor, int index, long alignment) throws IOException {
        String name = cursor.text("the name of tensor " + index);
        String place = path + ": " + name;
        int dimensions = cursor.int32();
        if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
            throw new BadInputException(place + " has " + Integer.toUnsignedString(dimensions)
                    + " dimensions; wanted 1 to " + MAX_DIMENSIONS);
        }
        List<Long> shape = new ArrayList<>();
        for (int i = 0; i < dimensions; i++) {
            long size = cursor.int64();
            if (size < 1) {
                throw new BadInputException(place + " has the dimension " + Long.toUnsignedString(size)
                        + "; wanted a positive number below 2^63");
            }
            shape.add(0, size);
        }
        GgufType type = GgufType.of(cursor.int32(), place);
        long offset = cursor.int64();
        if (offset < 0 || offset % alignment != 0) {
            throw new BadInputException(place + " has the offset " + Long.toUnsignedString(offset)
                    + "; wanted a multiple of " + alignment + " below 2^63");
        }
        long columns = shape.get(dimensions - 1);
        if (columns % type.blockElements() != 0) {
            throw new BadInputException(place + " has rows of " + columns + " elements; wanted a multiple of "
                    + type.blockElements() + ", as it is " + type);
        }
        try {
            long bytes = type.bytes(shape.stream().reduce(1L, Math::multiplyExact));
            return new GgufTensor(name, type, shape, offset, Math.addExact(offset, bytes));
        } catch (ArithmeticException e) {
            throw new BadInputException(place + " has the shape " + shape + "; wanted fewer than 2^63 bytes", e);
        }
    }

    private GgufTensor place(GgufTensor tensor, long dataBegin, long fileBytes) {
        long room = Math.max(0, fileBytes - dataBegin);
        if (tensor.end() > room) {
            throw new BadInputException(path + ": " + tensor.name() + " ends at byte " + tensor.end()
                    + " of the data; wanted at most " + room + ", where the file ends");
        }
        return new GgufTensor(
                tensor.name(), tensor.type(), tensor.shape(), dataBegin + tensor.begin(), dataBegin + tensor.end());
    }

    private void requireApart(List<GgufTensor> placed) {
        placed.sort(Comparator.comparingLong(GgufTensor::begin));
        for (int i = 1; i < placed.size(); i++) {
            if (placed.get(i).begin() < placed.get(i - 1).end()) {
                throw new BadInputException(path + ": " + placed.get(i - 1).name() + " and "
                        + placed.get(i).name() + " overlap; wanted every byte in one tensor");
            }
        }
    }
}
