package org.fedlora4j.kernels;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Native memory that a member of the {@link Team} keeps for itself and that grows with what is asked for. */
final class NativeBlock {
    private static final int ALIGNMENT = 4096;

    private long block;
    private long bytes;

    /** One for each member. */
    static NativeBlock[] forTeam() {
        NativeBlock[] blocks = new NativeBlock[Team.size()];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = new NativeBlock();
        }
        return blocks;
    }

    /** The address of at least so many bytes; what they hold is lost when more are asked for. */
    long address(long wanted) {
        if (bytes < wanted) {
            Native.free(block);
            block = Native.malloc(wanted + ALIGNMENT);
            bytes = wanted;
        }
        return (block + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Memory at an address as a buffer, which does not own it. */
    static ByteBuffer buffer(long address, long bytes) {
        return new Pointer(address).getByteBuffer(0, bytes).order(ByteOrder.nativeOrder());
    }

    /** Floats at an address. */
    static Numbers floats(long address, long elements) {
        return Numbers.of(buffer(address, elements * Float.BYTES).asFloatBuffer());
    }

    /** Bf16 at an address. */
    static Numbers bf16(long address, long elements) {
        return Numbers.ofBf16(buffer(address, elements * Short.BYTES).asShortBuffer());
    }
}
