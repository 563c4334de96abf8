package org.fedlora4j.model.weights;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/** Reads of a file by position, which several threads may do at once. */
public final class FileBytes {
    private FileBytes() {}

    /** A little-endian buffer with the bytes from {@code position} on. The caller knows that the file has so many. */
    public static ByteBuffer read(FileChannel channel, long position, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        readFully(channel, position, buffer);
        return buffer.flip();
    }

    /** Fills what remains of the buffer. */
    public static void readFully(FileChannel channel, long position, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer, position);
            if (count < 0) {
                throw new EOFException("the file became shorter while it was read");
            }
            position += count;
        }
    }
}
