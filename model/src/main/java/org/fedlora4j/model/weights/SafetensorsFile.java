package org.fedlora4j.model.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;
import org.fedlora4j.model.exec.NativeRuntime;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A safetensors file (format: the {@code safetensors} project's README), open for reading. Its header is checked in full
 * when it is opened. {@link #array} gives views of the mapped file; the other readers copy through a small buffer and
 * need no native library.
 *
 * <p>Closing is safe while arrays are in use: the mapping lives as long as they do. The file must not be changed or cut
 * short meanwhile.
 */
public final class SafetensorsFile implements TensorFile {
    static {
        NativeRuntime.ensure();
    }

    private static final int CHUNK_BYTES = 1 << 20;

    private final Path path;
    private final FileChannel channel;
    private final SafetensorsHeader header;
    private @Nullable MappedFile mapping;

    private SafetensorsFile(Path path, FileChannel channel, SafetensorsHeader header) {
        this.path = path;
        this.channel = channel;
        this.header = header;
    }

    /**
     * Opens a file and checks its header.
     *
     * @throws BadInputException if there is no such file or it is not sound
     */
    public static SafetensorsFile open(Path path) throws IOException {
        InputFiles.require(path, "a safetensors file");
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new SafetensorsFile(path, channel, SafetensorsHeader.read(path.toString(), channel));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public Path path() {
        return path;
    }

    /** Every tensor by name, in the order of the data. */
    public Map<String, TensorInfo> tensors() {
        return header.tensors();
    }

    @Override
    public Set<String> names() {
        return header.tensors().keySet();
    }

    @Override
    public ElementType type(String name) {
        return tensor(name).type();
    }

    @Override
    public long[] shape(String name) {
        return tensor(name).shape();
    }

    /** The texts that the writer of the file left in it. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /**
     * Type, shape and place of a tensor.
     *
     * @throws BadInputException if the file has no such tensor
     */
    public TensorInfo tensor(String name) {
        TensorInfo info = header.tensors().get(name);
        if (info == null) {
            throw new BadInputException(path + ": " + name + " is missing");
        }
        return info;
    }

    /**
     * A view of a tensor in the mapped file, in the type that the file has: F32, BF16 or F16. It must not be written to:
     * the pages are read-only and a write ends the process.
     */
    public synchronized INDArray array(String name) throws IOException {
        TensorInfo info = tensor(name);
        DataType type = switch (info.type()) {
            case F32 -> DataType.FLOAT;
            case BF16 -> DataType.BFLOAT16;
            case F16 -> DataType.FLOAT16;
            default -> throw wrongType(name, info, "F32, BF16 or F16");
        };
        if (info.elements() == 0) {
            return Nd4j.empty(type);
        }
        if (mapping == null) {
            mapping = MappedFile.open(path, channel.size());
        }
        long[] shape = info.shape();
        return Nd4j.create(
                mapping.buffer(info.begin(), info.elements(), type), shape, Nd4j.getStrides(shape, 'c'), 0, 'c', type);
    }

    /** Takes a tensor that {@link #array} gave out of this process's memory until it is read again. */
    public synchronized void evict(String name) {
        TensorInfo info = tensor(name);
        if (mapping != null) {
            mapping.evict(info.begin(), info.end() - info.begin());
        }
    }

    /** The elements of an F32, F64, F16 or BF16 tensor; F64 is rounded, the others are exact. */
    public float[] floats(String name) throws IOException {
        TensorInfo info = tensor(name);
        float[] values = new float[arrayLength(name, info)];
        int[] next = {0};
        switch (info.type()) {
            case F32 -> read(info, bytes -> values[next[0]++] = bytes.getFloat());
            case F64 -> read(info, bytes -> values[next[0]++] = (float) bytes.getDouble());
            case F16 -> read(info, bytes -> values[next[0]++] = Elements.fromF16(bytes.getShort()));
            case BF16 -> read(info, bytes -> values[next[0]++] = Elements.fromBf16(bytes.getShort()));
            default -> throw wrongType(name, info, "F32, F64, F16 or BF16");
        }
        return values;
    }

    /** The elements of an F64 tensor, or of one that {@link #floats} reads. */
    public double[] doubles(String name) throws IOException {
        TensorInfo info = tensor(name);
        double[] values = new double[arrayLength(name, info)];
        if (info.type() == ElementType.F64) {
            int[] next = {0};
            read(info, bytes -> values[next[0]++] = bytes.getDouble());
        } else {
            float[] floats = floats(name);
            for (int i = 0; i < values.length; i++) {
                values[i] = floats[i];
            }
        }
        return values;
    }

    /** The elements of an I64 or I32 tensor. */
    public long[] longs(String name) throws IOException {
        TensorInfo info = tensor(name);
        long[] values = new long[arrayLength(name, info)];
        int[] next = {0};
        switch (info.type()) {
            case I64 -> read(info, bytes -> values[next[0]++] = bytes.getLong());
            case I32 -> read(info, bytes -> values[next[0]++] = bytes.getInt());
            default -> throw wrongType(name, info, "I64 or I32");
        }
        return values;
    }

    @Override
    public void read(String name, long begin, ElementType type, ByteBuffer out) throws IOException {
        TensorInfo info = tensor(name);
        long position = info.begin() + begin * info.type().bytes();
        if (type == info.type()) {
            FileBytes.readFully(channel, position, out);
            return;
        }
        int bytes = out.remaining() / type.bytes() * info.type().bytes();
        ByteBuffer from = FileBytes.read(channel, position, bytes);
        try {
            Elements.convert(from, info.type(), out, type);
        } catch (BadInputException e) {
            throw new BadInputException(path + ": " + name + " " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private interface Chunk {
        void accept(byte[] bytes, int offset, int length) throws IOException;
    }

    /** Calls {@code element} once for every element; it must take one from the buffer. */
    private void read(TensorInfo info, Consumer<ByteBuffer> element) throws IOException {
        chunks(info, (bytes, offset, length) -> {
            ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length).order(ByteOrder.LITTLE_ENDIAN);
            while (buffer.hasRemaining()) {
                element.accept(buffer);
            }
        });
    }

    private void chunks(TensorInfo info, Chunk chunk) throws IOException {
        byte[] bytes = new byte[(int) Math.min(CHUNK_BYTES, info.byteSize())];
        for (long position = info.begin(); position < info.end(); position += bytes.length) {
            int length = (int) Math.min(bytes.length, info.end() - position);
            FileBytes.readFully(channel, position, ByteBuffer.wrap(bytes, 0, length));
            chunk.accept(bytes, 0, length);
        }
    }

    private int arrayLength(String name, TensorInfo info) {
        if (info.elements() > Integer.MAX_VALUE - 8) {
            throw new BadInputException(
                    path + ": " + name + " has " + info.elements() + " elements; wanted fewer than 2^31");
        }
        return (int) info.elements();
    }

    private BadInputException wrongType(String name, TensorInfo info, String wanted) {
        return new BadInputException(path + ": " + name + " is " + info.type() + "; wanted " + wanted);
    }
}
