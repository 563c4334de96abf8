package org.fedlora4j.converter.torch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.fedlora4j.common.BadInputException;

/** The bytes of a pickle, read one after the other; nothing is taken that is not there. */
final class PickleBytes {
    /** Longest text: all that matter are names of tensors, of files in the archive and of what builds tensors. */
    private static final int MAX_TEXT = 1024;

    private final ByteBuffer bytes;

    PickleBytes(byte[] pickle) {
        bytes = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
    }

    int position() {
        return bytes.position();
    }

    int uint8() {
        require(Byte.BYTES);
        return Byte.toUnsignedInt(bytes.get());
    }

    int uint16() {
        require(Short.BYTES);
        return Short.toUnsignedInt(bytes.getShort());
    }

    int int32() {
        require(Integer.BYTES);
        return bytes.getInt();
    }

    void skip(int count) {
        require(count);
        bytes.position(bytes.position() + count);
    }

    /** An integer of so many bytes in two's complement. */
    long integer(int count) {
        if (count > Long.BYTES) {
            throw wrong("has a number of " + count + " bytes; wanted at most " + Long.BYTES);
        }
        require(count);
        long value = 0;
        for (int i = 0; i < count; i++) {
            value |= Byte.toUnsignedLong(bytes.get()) << (Byte.SIZE * i);
        }
        int unused = Long.SIZE - Byte.SIZE * count;
        return count == 0 ? 0 : value << unused >> unused;
    }

    /** @param length in bytes, unsigned */
    String text(int length) {
        if (length < 0 || length > MAX_TEXT) {
            throw wrong("has a text of " + Integer.toUnsignedLong(length) + " bytes; wanted at most " + MAX_TEXT);
        }
        require(length);
        ByteBuffer encoded = bytes.slice(bytes.position(), length);
        bytes.position(bytes.position() + length);
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(encoded).toString();
            // Texts end up in messages, which are one line.
            if (text.chars().anyMatch(Character::isISOControl)) {
                throw wrong("has a text with control characters; wanted a name");
            }
            return text;
        } catch (CharacterCodingException e) {
            throw wrong("has a text that is not UTF-8");
        }
    }

    /** A text that ends before the next line feed. */
    String line() {
        int length = 0;
        while (length < bytes.remaining() && bytes.get(bytes.position() + length) != '\n') {
            length++;
        }
        String line = text(length);
        skip(1);
        return line;
    }

    /** The error to throw for what was read last. */
    BadInputException wrong(String problem) {
        return new BadInputException("the pickle " + problem + " (at byte " + bytes.position() + ")");
    }

    private void require(int count) {
        if (count > bytes.remaining()) {
            throw wrong("ends too early; wanted " + count + " bytes more");
        }
    }
}
