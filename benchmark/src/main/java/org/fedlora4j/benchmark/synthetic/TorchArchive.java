package org.fedlora4j.benchmark.synthetic;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;
import org.fedlora4j.model.weights.SafetensorsWriter;

/**
 * The zip archive that {@code torch.save} of PyTorch 2.0 writes: {@code data.pkl}, a file for each tensor's storage, in the
 * order of their names as texts, and {@code version}, in a folder named after the file; nothing compressed, each file's data
 * on a boundary of 64 bytes. Headers are those that PyTorch has miniz write, so that the archive is as long as a real one
 * (PyTorch's {@code caffe2/serialize/inline_container.cc}). Tensors are written one by one, none is kept.
 */
final class TorchArchive {
    private static final int ALIGNMENT = 64;
    private static final long LIMIT = 0xffffffffL;
    private static final int LOCAL_HEADER = 30;
    private static final int CENTRAL_HEADER = 46;
    private static final int OFFSET_FIELD = 12;
    private static final int PADDING_HEADER = 4;
    private static final int END = 56 + 20 + 22;
    private static final short FLAGS = 0x0808; // sizes follow the data; names are UTF-8

    private final List<Entry> entries = new ArrayList<>();

    /**
     * One file of the archive.
     *
     * @param offset of its header
     */
    private record Entry(String name, long bytes, long offset, SafetensorsWriter.Source source) {
        Entry {
            if (bytes >= LIMIT) {
                throw new IllegalArgumentException(name + ": " + bytes + " bytes; wanted less than 4 GiB");
            }
        }

        boolean isFar() {
            return offset >= LIMIT;
        }

        int offsetField() {
            return isFar() ? OFFSET_FIELD : 0;
        }

        /** Bytes between header and data, of which the first {@link #PADDING_HEADER} are counted apart. */
        int padding() {
            return (int) Math.floorMod(
                    -(offset + LOCAL_HEADER + name.length() + offsetField() + PADDING_HEADER), (long) ALIGNMENT);
        }

        long end() {
            long data = offset + LOCAL_HEADER + name.length() + offsetField() + PADDING_HEADER + padding();
            return data + bytes + (isFar() ? 24 : 16);
        }

        int centralBytes() {
            return CENTRAL_HEADER + name.length() + offsetField();
        }
    }

    /** @param folder the name of the file without its ending */
    TorchArchive(String folder, List<StoredTensor> tensors) {
        byte[] pickle = TorchPickle.of(tensors);
        add(folder + "/data.pkl", pickle.length, out -> out.write(pickle));
        IntStream.range(0, tensors.size())
                .boxed()
                .sorted(Comparator.comparing(String::valueOf))
                .forEach(key -> {
                    StoredTensor tensor = tensors.get(key);
                    add(folder + "/data/" + key, tensor.bytes(), tensor.source());
                });
        byte[] version = "3\n".getBytes(StandardCharsets.UTF_8);
        add(folder + "/version", version.length, out -> out.write(version));
    }

    /** The length of the file in bytes. */
    long length() {
        return centralBegin() + centralBytes() + END;
    }

    void writeTo(OutputStream out) throws IOException {
        List<Long> checks = new ArrayList<>();
        for (Entry entry : entries) {
            out.write(localHeader(entry));
            CRC32 check = new CRC32();
            entry.source.writeTo(new CheckedOutputStream(out, check));
            checks.add(check.getValue());
            out.write(descriptor(entry, check.getValue()));
        }
        for (int i = 0; i < checks.size(); i++) {
            out.write(centralHeader(entries.get(i), checks.get(i)));
        }
        out.write(end());
    }

    private void add(String name, long bytes, SafetensorsWriter.Source source) {
        entries.add(new Entry(name, bytes, centralBegin(), source));
    }

    private long centralBegin() {
        return entries.isEmpty() ? 0 : entries.get(entries.size() - 1).end();
    }

    private long centralBytes() {
        return entries.stream().mapToLong(Entry::centralBytes).sum();
    }

    private static byte[] localHeader(Entry entry) {
        int extra = entry.offsetField() + PADDING_HEADER + entry.padding();
        ByteBuffer header = ByteBuffer.allocate(LOCAL_HEADER + entry.name.length() + extra)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x04034b50)
                .putShort((short) 0)
                .putShort(FLAGS)
                .put(new byte[LOCAL_HEADER - 12])
                .putShort((short) entry.name.length())
                .putShort((short) extra)
                .put(name(entry));
        putOffset(entry, header);
        header.put((byte) 'F').put((byte) 'B').putShort((short) entry.padding());
        while (header.hasRemaining()) {
            header.put((byte) 'Z');
        }
        return header.array();
    }

    /** What follows the data, since the header before it was written without the check sum. */
    private static byte[] descriptor(Entry entry, long check) {
        ByteBuffer descriptor = ByteBuffer.allocate(entry.isFar() ? 24 : 16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x08074b50)
                .putInt((int) check);
        if (entry.isFar()) {
            descriptor.putLong(entry.bytes).putLong(entry.bytes);
        } else {
            descriptor.putInt((int) entry.bytes).putInt((int) entry.bytes);
        }
        return descriptor.array();
    }

    private static byte[] centralHeader(Entry entry, long check) {
        ByteBuffer header = ByteBuffer.allocate(entry.centralBytes())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x02014b50)
                .putInt(0)
                .putShort(FLAGS)
                .put(new byte[6])
                .putInt((int) check)
                .putInt((int) entry.bytes)
                .putInt((int) entry.bytes)
                .putShort((short) entry.name.length())
                .putShort((short) entry.offsetField())
                .put(new byte[10])
                .putInt((int) Math.min(LIMIT, entry.offset))
                .put(name(entry));
        putOffset(entry, header);
        return header.array();
    }

    /** The field of ZIP64 for an offset that the header has no room for. */
    private static void putOffset(Entry entry, ByteBuffer header) {
        if (entry.isFar()) {
            header.putShort((short) 1).putShort((short) Long.BYTES).putLong(entry.offset);
        }
    }

    /** The end of the directory in ZIP64's form, where that lies, and the end in the plain form. */
    private byte[] end() {
        long begin = centralBegin();
        long bytes = centralBytes();
        return ByteBuffer.allocate(END)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x06064b50)
                .putLong(44)
                .putShort((short) 0x031e)
                .putShort((short) 45)
                .putLong(0)
                .putLong(entries.size())
                .putLong(entries.size())
                .putLong(bytes)
                .putLong(begin)
                .putInt(0x07064b50)
                .putInt(0)
                .putLong(begin + bytes)
                .putInt(1)
                .putInt(0x06054b50)
                .putInt(0)
                .putShort((short) entries.size())
                .putShort((short) entries.size())
                .putInt((int) bytes)
                .putInt((int) Math.min(LIMIT, begin))
                .putShort((short) 0)
                .array();
    }

    private static byte[] name(Entry entry) {
        return entry.name.getBytes(StandardCharsets.US_ASCII);
    }
}
