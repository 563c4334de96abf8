package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Random;
import org.fedlora4j.kernels.Product.Operand;

/** A matrix in native memory. Before it, behind it and in the gaps between its rows are bytes that nobody may touch. */
final class NativeMatrix {
    private static final int GUARD = 64;
    private static final byte MARK = 0x5a;

    private final Operand operand;
    private final int rows;
    private final int columns;
    private final ByteBuffer memory;

    /** A matrix of NaN. */
    NativeMatrix(Operand operand, int rows, int columns) {
        this.operand = operand;
        this.rows = rows;
        this.columns = columns;
        int lines = operand.transposed() ? columns : rows;
        int bytes = Math.toIntExact(lines * operand.stride() * operand.type().bytes());
        memory = ByteBuffer.allocateDirect(bytes + 2 * GUARD).order(ByteOrder.nativeOrder());
        while (memory.hasRemaining()) {
            memory.put(MARK);
        }
        memory.clear();
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                set(row, column, Float.NaN);
            }
        }
    }

    /** A matrix of numbers from a normal distribution, as the type holds them. */
    static NativeMatrix random(Operand operand, int rows, int columns, Random random) {
        NativeMatrix matrix = new NativeMatrix(operand, rows, columns);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                matrix.set(row, column, (float) random.nextGaussian());
            }
        }
        return matrix;
    }

    long address() {
        return Pointer.nativeValue(Native.getDirectBufferPointer(memory)) + GUARD;
    }

    /** It as a weight; it has no gaps. */
    WeightMatrix weight() {
        assertThat(operand.stride()).isEqualTo(columns);
        return new WeightMatrix(memory.slice(GUARD, memory.capacity() - 2 * GUARD), operand.type(), rows, columns);
    }

    float get(int row, int column) {
        int at = at(row, column);
        return switch (operand.type()) {
            case F32 -> memory.getFloat(at);
            case BF16 -> Bf16.widen(memory.getShort(at));
            case F16 -> ofHalf(memory.getShort(at));
        };
    }

    /** Rounded to the type; a half is cut off. */
    void set(int row, int column, float value) {
        int at = at(row, column);
        switch (operand.type()) {
            case F32 -> memory.putFloat(at, value);
            case BF16 -> memory.putShort(at, Bf16.narrow(value));
            case F16 -> memory.putShort(at, toHalf(value));
        }
    }

    void assertNothingElseIsTouched() {
        BitSet elements = new BitSet();
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                int at = at(row, column);
                elements.set(at, at + operand.type().bytes());
            }
        }
        for (int i = elements.nextClearBit(0); i < memory.capacity(); i = elements.nextClearBit(i + 1)) {
            if (memory.get(i) != MARK) {
                assertThat(memory.get(i))
                        .as("byte %d of %s", i - GUARD, operand)
                        .isEqualTo(MARK);
            }
        }
    }

    private int at(int row, int column) {
        int line = operand.transposed() ? column : row;
        int place = operand.transposed() ? row : column;
        return GUARD
                + Math.toIntExact(
                        (line * operand.stride() + place) * operand.type().bytes());
    }

    /** IEEE's half: 5 bits of exponent, 10 of fraction. What is below the smallest normal one becomes 0. */
    private static short toHalf(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = bits >>> 16 & 0x8000;
        if (Float.isNaN(value)) {
            return (short) 0x7e00;
        }
        int exponent = (bits >>> 23 & 0xff) - 127 + 15;
        return (short) (exponent < 1 ? sign : sign | exponent << 10 | bits >>> 13 & 0x3ff);
    }

    private static float ofHalf(short half) {
        int magnitude = half & 0x7fff;
        int bits = magnitude == 0 ? 0 : (magnitude << 13) + (127 - 15 << 23);
        return Float.intBitsToFloat(bits | (half & 0x8000) << 16);
    }
}
