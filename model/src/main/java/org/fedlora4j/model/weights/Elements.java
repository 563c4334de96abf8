package org.fedlora4j.model.weights;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import org.fedlora4j.common.BadInputException;

/** Elements of weights between F32, F16 (IEEE 754 binary16) and BF16 (the upper half of F32), little-endian. */
public final class Elements {
    /** By the bits of an F16. */
    private static final short[] F16_TO_BF16 = f16ToBf16();

    private Elements() {}

    /**
     * Converts all of {@code from}; {@code to} must have room for as many elements. Rounds to the nearest, ties to even.
     *
     * @throws BadInputException if a finite value is beyond F16's range
     */
    public static void convert(ByteBuffer from, ElementType fromType, ByteBuffer to, ElementType toType) {
        if (fromType == toType) {
            to.put(from);
            return;
        }
        if (fromType == ElementType.F16 && toType == ElementType.BF16) {
            f16ToBf16(from, to);
            return;
        }
        float[] values = new float[from.remaining() / fromType.bytes()];
        decode(from, fromType, values);
        encode(values, toType, to);
    }

    /** By a table, since converting LLaMA2-7B would else be bound by this and not by the disk. */
    private static void f16ToBf16(ByteBuffer from, ByteBuffer to) {
        short[] values = new short[from.remaining() / Short.BYTES];
        from.order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().get(values);
        for (int i = 0; i < values.length; i++) {
            values[i] = F16_TO_BF16[values[i] & 0xffff];
        }
        to.order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().put(values);
        from.position(from.position() + values.length * Short.BYTES);
        to.position(to.position() + values.length * Short.BYTES);
    }

    private static short[] f16ToBf16() {
        short[] table = new short[1 << Short.SIZE];
        for (int bits = 0; bits < table.length; bits++) {
            table[bits] = toBf16(fromF16((short) bits));
        }
        return table;
    }

    /** Reads as many elements as {@code values} has. */
    public static void decode(ByteBuffer from, ElementType type, float[] values) {
        from.order(ByteOrder.LITTLE_ENDIAN);
        if (type == ElementType.F32) {
            from.asFloatBuffer().get(values);
        } else {
            ShortBuffer shorts = from.asShortBuffer();
            if (type == ElementType.BF16) {
                for (int i = 0; i < values.length; i++) {
                    values[i] = fromBf16(shorts.get(i));
                }
            } else {
                requireF16(type);
                for (int i = 0; i < values.length; i++) {
                    values[i] = fromF16(shorts.get(i));
                }
            }
        }
        from.position(from.position() + values.length * type.bytes());
    }

    /**
     * Writes all values.
     *
     * @throws BadInputException if a finite value is beyond F16's range
     */
    public static void encode(float[] values, ElementType type, ByteBuffer to) {
        to.order(ByteOrder.LITTLE_ENDIAN);
        if (type == ElementType.F32) {
            to.asFloatBuffer().put(values);
        } else {
            ShortBuffer shorts = to.asShortBuffer();
            if (type == ElementType.BF16) {
                for (int i = 0; i < values.length; i++) {
                    shorts.put(i, toBf16(values[i]));
                }
            } else {
                requireF16(type);
                for (int i = 0; i < values.length; i++) {
                    shorts.put(i, toF16(values[i]));
                }
            }
        }
        to.position(to.position() + values.length * type.bytes());
    }

    static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            // Rounding could carry a NaN to infinity.
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
    }

    /** F16 as a float, exact. */
    public static float fromF16(short bits) {
        int exponent = bits >>> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        int sign = (bits & 0x8000) << 16;
        if (exponent == 0) {
            float magnitude = fraction * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        int wideExponent = exponent == 0x1f ? 0xff : exponent + 127 - 15;
        return Float.intBitsToFloat(sign | wideExponent << 23 | fraction << 13);
    }

    /**
     * The nearest F16.
     *
     * @throws BadInputException if the value is finite and its nearest F16 is not
     */
    public static short toF16(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        int magnitude = bits & 0x7fffffff;
        if (magnitude >= 0x7f800000) {
            int fraction = magnitude == 0x7f800000 ? 0 : (magnitude >>> 13 & 0x3ff) | 0x200;
            return (short) (sign | 0x7c00 | fraction);
        }
        if (magnitude >= 0x477ff000) {
            throw new BadInputException("holds " + value + ", which F16 can't; wanted BF16 or F32");
        }
        if (magnitude < 0x38800000) {
            // Below the smallest normal number. Adding 0.5 rounds to a multiple of 2^-24, which is F16's unit there.
            float rounded = Float.intBitsToFloat(magnitude) + 0.5f;
            return (short) (sign | Float.floatToRawIntBits(rounded) - 0x3f000000);
        }
        int rebiased = magnitude - ((127 - 15) << 23);
        return (short) (sign | (rebiased + 0xfff + (rebiased >>> 13 & 1)) >>> 13);
    }

    private static void requireF16(ElementType type) {
        if (type != ElementType.F16) {
            throw new IllegalArgumentException(type + "; wanted F32, F16 or BF16");
        }
    }
}
