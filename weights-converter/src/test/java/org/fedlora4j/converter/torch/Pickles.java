package org.fedlora4j.converter.torch;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes pickles opcode by opcode; the methods are named as in Python's {@code pickletools}. */
final class Pickles {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    static Pickles protocol2() {
        return new Pickles().raw(0x80, 2);
    }

    Pickles raw(int... values) {
        for (int value : values) {
            bytes.write(value);
        }
        return this;
    }

    /** Opcodes that are letters. */
    Pickles ops(String letters) {
        bytes.writeBytes(letters.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    Pickles uint32(int value) {
        bytes.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
        return this;
    }

    Pickles text(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        ops("X").uint32(utf8.length);
        bytes.writeBytes(utf8);
        return this;
    }

    Pickles number(int value) {
        return ops("J").uint32(value);
    }

    Pickles tuple(int... values) {
        ops("(");
        for (int value : values) {
            number(value);
        }
        return ops("t");
    }

    Pickles global(String module, String name) {
        return ops("c" + module + "\n" + name + "\n");
    }

    Pickles orderedDict() {
        return global("collections", "OrderedDict").ops(")R");
    }

    Pickles storage(String type, String key, int elements) {
        return ops("(").text("storage")
                .global("torch", type)
                .text(key)
                .text("cpu")
                .number(elements)
                .ops("tQ");
    }

    Pickles tensor(String type, String key, int elements, int offset, int[] shape, int... strides) {
        return global("torch._utils", "_rebuild_tensor_v2")
                .ops("(")
                .storage(type, key, elements)
                .number(offset)
                .tuple(shape)
                .tuple(strides)
                .raw(0x89) // NEWFALSE
                .orderedDict()
                .ops("tR");
    }

    /** With the end. */
    byte[] stop() {
        return ops(".").bytes.toByteArray();
    }
}
