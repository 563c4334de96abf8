package org.fedlora4j.model.weights;

import java.io.IOException;
import java.lang.ref.Cleaner;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.bytedeco.javacpp.Pointer;
import org.fedlora4j.model.exec.Backend;
import org.fedlora4j.model.exec.Pages;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A file in memory, read-only, of any length. It is unmapped when neither it nor a buffer on it can be reached any more,
 * so a buffer never dangles.
 *
 * <p>Java's own maps end at 2 GB; so on Linux and macOS this is one {@code mmap}. Elsewhere each buffer is a map of
 * Java's, and 2 GB is the limit of one tensor.
 */
abstract class MappedFile {
    private static final Cleaner CLEANER = Cleaner.create();

    /** Maps a file that has at least so many bytes. */
    static MappedFile open(Path path, long bytes) throws IOException {
        return Pages.canMap() ? new Whole(path, bytes) : new Pieces(path);
    }

    /** Elements of the file without a copy, from the byte {@code begin} on. */
    DataBuffer buffer(long begin, long elements, DataType type) throws IOException {
        if (!Backend.active().sharesMemory()) {
            throw new IllegalStateException("the backend " + Backend.active() + " can't read a mapped file");
        }
        View view = view(begin, elements * type.width());
        DataBuffer buffer = Nd4j.createBuffer(view, elements, type);
        // A buffer keeps the address and not the pointer. Arrays cut from an array keep its buffer.
        CLEANER.register(buffer, new Held(view));
        return buffer;
    }

    abstract View view(long begin, long bytes) throws IOException;

    /** Takes a part of the file out of this process's memory until it is read again, where the system can. */
    abstract void evict(long begin, long bytes);

    /** The whole file in one {@code mmap}. */
    static final class Whole extends MappedFile {
        private final long address;

        Whole(Path path, long bytes) throws IOException {
            long mapped = Pages.map(path, bytes);
            address = mapped;
            CLEANER.register(this, () -> Pages.unmap(mapped, bytes));
        }

        @Override
        View view(long begin, long bytes) {
            return new View(address + begin, bytes, this);
        }

        @Override
        void evict(long begin, long bytes) {
            Pages.evict(address + begin, bytes);
        }
    }

    /** A map of Java's for every pointer. */
    static final class Pieces extends MappedFile {
        private final Path path;

        Pieces(Path path) {
            this.path = path;
        }

        @Override
        View view(long begin, long bytes) throws IOException {
            if (bytes > Integer.MAX_VALUE) {
                throw new IOException(path + ": a tensor of " + bytes + " bytes; this system maps at most 2 GB");
            }
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
                MappedByteBuffer buffer = channel.map(MapMode.READ_ONLY, begin, bytes);
                return new View(new Pointer(buffer).address(), bytes, buffer);
            }
        }

        @Override
        void evict(long begin, long bytes) {}
    }

    /** A pointer whose memory belongs to an object that it keeps alive. */
    static final class View extends Pointer {
        @SuppressWarnings({"unused", "FieldCanBeLocal"})
        private final Object owner;

        View(long address, long bytes, Object owner) {
            this.address = address;
            this.limit = bytes;
            this.capacity = bytes;
            this.owner = owner;
        }
    }

    /** What the cleaner holds as long as a buffer can be reached; there is nothing to do afterwards. */
    private record Held(View view) implements Runnable {
        @Override
        public void run() {}
    }
}
