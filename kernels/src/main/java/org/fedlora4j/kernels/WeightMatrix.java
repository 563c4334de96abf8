package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.LENGTH;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * A frozen matrix [rows, columns] of a model where it lies, row-major, as floats or in 16 bits; kernels read its rows as
 * floats, which is exact.
 */
public final class WeightMatrix {
    /** Rows are read padded with zeros to a multiple of so many elements, those that a vector of 16-bit ones holds. */
    static final int STEP = 2 * LENGTH;

    private static final int SIGN = 0x8000_0000;
    /** The exponents of 16-bit floats begin at -15, those of floats at -127. */
    private static final float F16_BIAS = 0x1p112f;

    private final ByteBuffer memory;
    private final Product.Type type;
    private final int rows;
    private final int columns;
    private final FloatBuffer floats;
    private final ShortBuffer shorts;

    /**
     * A matrix over memory that somebody else owns.
     *
     * @param memory native, rows · columns elements in the machine's byte order
     */
    public WeightMatrix(ByteBuffer memory, Product.Type type, int rows, int columns) {
        ByteBuffer bytes = memory.duplicate().order(ByteOrder.nativeOrder());
        this.memory = memory;
        this.type = type;
        this.rows = rows;
        this.columns = columns;
        this.floats = bytes.asFloatBuffer();
        this.shorts = bytes.asShortBuffer();
        int held = type == Product.Type.F32 ? floats.capacity() : shorts.capacity();
        if (held != (long) rows * columns) {
            throw new IllegalArgumentException(
                    held + " elements of " + type + " for a matrix [" + rows + ", " + columns + "]");
        }
    }

    public int rows() {
        return rows;
    }

    public int columns() {
        return columns;
    }

    Product.Type type() {
        return type;
    }

    /** Where its first element is. */
    long address() {
        return TokenProducts.address(memory);
    }

    /** Copies a row out as floats, from {@code target[at]} on. */
    public void copyRow(int row, float[] target, int at) {
        float[] padded = new float[stride()];
        short[] halves = new short[stride()];
        read(row, 1, padded, halves);
        if (type == Product.Type.F32) {
            System.arraycopy(padded, 0, target, at, columns);
            return;
        }
        for (int i = 0; i < columns; i++) {
            target[at + i] = padded[inPairs(i)];
        }
    }

    /** The distance of rows that are read. */
    int stride() {
        return (columns + STEP - 1) / STEP * STEP;
    }

    /** Rows of x [count, columns] as {@link #read} arranges those of the matrix, [count, stride]. */
    float[] arranged(float[] x, int count) {
        int stride = stride();
        float[] arranged = new float[count * stride];
        for (int row = 0; row < count; row++) {
            if (type == Product.Type.F32) {
                System.arraycopy(x, row * columns, arranged, row * stride, columns);
            } else {
                for (int i = 0; i < columns; i++) {
                    arranged[row * stride + inPairs(i)] = x[row * columns + i];
                }
            }
        }
        return arranged;
    }

    /** Where a 16-bit element of a row goes: in each run of STEP first those at even places, then those at odd ones. */
    private static int inPairs(int i) {
        return i - i % STEP + i % 2 * LENGTH + i % STEP / 2;
    }

    /**
     * Reads rows as floats; those of 16 bits come in the order of {@link #inPairs}, for a vector of them is as wide as two
     * of floats.
     *
     * @param target [count, stride], overwritten
     * @param halves room for as many elements
     */
    void read(int row, int count, float[] target, short[] halves) {
        if (type == Product.Type.F32) {
            copy(row, count, target);
            return;
        }
        readHalves(row, count, halves);
        widenRow(halves, count * stride(), target);
    }

    private void widenRow(short[] halves, int length, float[] target) {
        for (int i = 0; i < length; i += STEP) {
            IntVector pairs = pairs(halves, i);
            even(pairs).intoArray(target, i);
            odd(pairs).intoArray(target, i + LENGTH);
        }
    }

    /** Reads rows of 16 bits as they are, [count, stride]. */
    void readHalves(int row, int count, short[] target) {
        int stride = stride();
        if (stride == columns) {
            shorts.get(row * columns, target, 0, count * columns);
            return;
        }
        for (int i = 0; i < count; i++) {
            shorts.get((row + i) * columns, target, i * stride, columns);
            Arrays.fill(target, i * stride + columns, (i + 1) * stride, (short) 0);
        }
    }

    private void copy(int row, int count, float[] target) {
        int stride = stride();
        if (stride == columns) {
            floats.get(row * columns, target, 0, count * columns);
            return;
        }
        for (int i = 0; i < count; i++) {
            floats.get((row + i) * columns, target, i * stride, columns);
            Arrays.fill(target, i * stride + columns, (i + 1) * stride, 0);
        }
    }

    /** Neighbouring elements in one int each, the even one in the low half. */
    static IntVector pairs(short[] halves, int at) {
        return ShortVector.fromArray(ShortVector.SPECIES_PREFERRED, halves, at).reinterpretAsInts();
    }

    private FloatVector even(IntVector pairs) {
        IntVector upper = pairs.lanewise(VectorOperators.LSHL, 16);
        return type == Product.Type.BF16 ? upper.reinterpretAsFloats() : f16(upper);
    }

    private FloatVector odd(IntVector pairs) {
        return type == Product.Type.BF16 ? oddBf16(pairs) : f16(pairs);
    }

    static FloatVector evenBf16(IntVector pairs) {
        return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    static FloatVector oddBf16(IntVector pairs) {
        return pairs.and(0xFFFF_0000).reinterpretAsFloats();
    }

    /** The 16-bit float in the upper half of each lane; infinities, which no model's weights are, become finite. */
    private static FloatVector f16(IntVector upper) {
        IntVector magnitude = magnitude(upper).reinterpretAsInts();
        return magnitude.or(upper.and(SIGN)).reinterpretAsFloats();
    }

    private static FloatVector magnitude(IntVector upper) {
        IntVector bits = upper.and(0x7FFF_0000).lanewise(VectorOperators.LSHR, 3);
        return bits.reinterpretAsFloats().mul(F16_BIAS);
    }
}
