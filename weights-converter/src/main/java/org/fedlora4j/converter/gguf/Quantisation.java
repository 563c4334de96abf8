package org.fedlora4j.converter.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.weights.Elements;

/**
 * Quantised weights to floats and back, bit for bit as ggml's reference ({@code ggml-quants.c}) does it. All types have
 * blocks of 32; where numbers have 4 bits, the low ones of 16 bytes are the first 16 numbers and the high ones the others.
 */
public final class Quantisation {
    private static final int BLOCK = 32;

    private Quantisation() {}

    /** Reads as many elements as {@code values} has, a multiple of 32. */
    public static void decode(ByteBuffer from, GgufType type, float[] values) {
        from.order(ByteOrder.LITTLE_ENDIAN);
        for (int begin = 0; begin < values.length; begin += BLOCK) {
            float scale = Elements.fromF16(from.getShort());
            switch (type) {
                case Q8_0 -> {
                    for (int i = 0; i < BLOCK; i++) {
                        values[begin + i] = from.get() * scale;
                    }
                }
                case Q4_0 -> {
                    for (int i = 0; i < BLOCK / 2; i++) {
                        int both = from.get();
                        values[begin + i] = ((both & 0xf) - 8) * scale;
                        values[begin + i + BLOCK / 2] = ((both >> 4 & 0xf) - 8) * scale;
                    }
                }
                case Q4_1 -> {
                    float minimum = Elements.fromF16(from.getShort());
                    for (int i = 0; i < BLOCK / 2; i++) {
                        int both = from.get();
                        values[begin + i] = (both & 0xf) * scale + minimum;
                        values[begin + i + BLOCK / 2] = (both >> 4 & 0xf) * scale + minimum;
                    }
                }
                default -> throw new IllegalArgumentException(type + " has no blocks");
            }
        }
    }

    /**
     * Writes all values.
     *
     * @param type F32, F16, BF16 or Q8_0
     * @throws BadInputException if a value is beyond the type's range
     */
    public static void encode(float[] values, GgufType type, ByteBuffer to) {
        if (type == GgufType.Q8_0) {
            encodeQ8(values, to);
        } else if (type.isQuantised()) {
            throw new IllegalArgumentException(type + " is not written");
        } else {
            Elements.encode(values, type.exact(), to);
        }
    }

    /** A block's largest is 127 or -127 times the scale; the others are rounded to the nearest, halves away from zero. */
    private static void encodeQ8(float[] values, ByteBuffer to) {
        to.order(ByteOrder.LITTLE_ENDIAN);
        for (int begin = 0; begin < values.length; begin += BLOCK) {
            float largest = 0;
            for (int i = begin; i < begin + BLOCK; i++) {
                if (!Float.isFinite(values[i])) {
                    throw new BadInputException("holds " + values[i] + ", which Q8_0 can't; wanted finite numbers");
                }
                largest = Math.max(largest, Math.abs(values[i]));
            }
            float scale = largest / 127;
            float inverse = scale == 0 ? 0 : 1 / scale;
            to.putShort(Elements.toF16(scale));
            for (int i = begin; i < begin + BLOCK; i++) {
                float number = values[i] * inverse;
                // In double the sum is exact.
                to.put((byte) (number + Math.copySign(0.5, number)));
            }
        }
    }
}
