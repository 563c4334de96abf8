package org.fedlora4j.converter.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.fedlora4j.common.BadInputException;

/** Reads a header from the front. Nothing is allocated that the file does not fill. */
final class GgufCursor {
    /** The largest vocabularies take some 20 MB, and everything is in memory several times. */
    private static final int MAX_HEADER_BYTES = 1 << 26;

    private static final int BUFFER_BYTES = 1 << 16;

    private final String file;
    private final FileChannel channel;
    private final long fileBytes;
    private final ByteBuffer buffer =
            ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);

    /** The byte of the file that follows the buffer. */
    private long bufferEnd;

    GgufCursor(String file, FileChannel channel) throws IOException {
        this.file = file;
        this.channel = channel;
        this.fileBytes = channel.size();
    }

    /** The next byte, counted from the file's first. */
    long position() {
        return bufferEnd - buffer.remaining();
    }

    byte int8() throws IOException {
        return next(Byte.BYTES).get();
    }

    short int16() throws IOException {
        return next(Short.BYTES).getShort();
    }

    int int32() throws IOException {
        return next(Integer.BYTES).getInt();
    }

    long int64() throws IOException {
        return next(Long.BYTES).getLong();
    }

    /**
     * A number of things that follow.
     *
     * @param what for the message
     * @param leastBytes that each takes
     */
    int count(String what, int leastBytes) throws IOException {
        long count = int64();
        long room = (Math.min(fileBytes, MAX_HEADER_BYTES) - position()) / leastBytes;
        if (count < 0 || count > room) {
            throw new BadInputException(file + ": " + what + " is " + Long.toUnsignedString(count) + "; wanted at most "
                    + room + ", for which there is room");
        }
        return (int) count;
    }

    /** @param what for the message */
    String text(String what) throws IOException {
        int length = count("the length of " + what, 1);
        byte[] bytes = new byte[length];
        for (int done = 0; done < length; ) {
            int part = Math.min(length - done, BUFFER_BYTES);
            next(part).get(bytes, done, part);
            done += part;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new BadInputException(file + ": " + what + " is not UTF-8", e);
        }
    }

    void skip(long bytes) throws IOException {
        for (long left = bytes; left > 0; left -= BUFFER_BYTES) {
            int part = (int) Math.min(left, BUFFER_BYTES);
            ByteBuffer from = next(part);
            from.position(from.position() + part);
        }
    }

    /** The buffer with so many bytes in it. */
    private ByteBuffer next(int bytes) throws IOException {
        if (buffer.remaining() < bytes) {
            buffer.compact();
            while (buffer.hasRemaining()) {
                int read = channel.read(buffer, bufferEnd);
                if (read < 0) {
                    break;
                }
                bufferEnd += read;
            }
            buffer.flip();
        }
        if (buffer.remaining() < bytes || position() > MAX_HEADER_BYTES) {
            throw new BadInputException(file + ": the header goes beyond byte " + Math.min(fileBytes, MAX_HEADER_BYTES)
                    + "; wanted its end there or before");
        }
        return buffer;
    }
}
