package org.fedlora4j.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/** Native memory as kernels get it. What a kernel shall overwrite is filled with NaN. */
final class Buffers {
    private Buffers() {}

    /** Rows of equal length, one after the other. */
    static FloatBuffer of(float[]... rows) {
        FloatBuffer buffer = poisoned(rows.length * rows[0].length);
        for (int row = 0; row < rows.length; row++) {
            buffer.put(row * rows[0].length, rows[row]);
        }
        return buffer;
    }

    static FloatBuffer poisoned(int length) {
        FloatBuffer buffer = ByteBuffer.allocateDirect(length * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        for (int i = 0; i < length; i++) {
            buffer.put(i, Float.NaN);
        }
        return buffer;
    }

    /** {@link #of} as kernels take it. */
    static Numbers numbers(float[]... rows) {
        return Numbers.of(of(rows));
    }

    /** An array rounded to bf16. */
    static ShortBuffer bf16(float[] values) {
        short[] narrow = new short[values.length];
        Bf16.narrowRow(values, 0, narrow, 0, values.length);
        return poisonedShorts(values.length).put(0, narrow);
    }

    /** NaN in bf16. */
    static ShortBuffer poisonedShorts(int length) {
        ShortBuffer buffer = ByteBuffer.allocateDirect(length * Short.BYTES)
                .order(ByteOrder.nativeOrder())
                .asShortBuffer();
        for (int i = 0; i < length; i++) {
            buffer.put(i, Bf16.narrow(Float.NaN));
        }
        return buffer;
    }
}
