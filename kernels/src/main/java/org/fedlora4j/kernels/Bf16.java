package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.INTS;
import static org.fedlora4j.kernels.Lanes.LENGTH;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Brain floats, the upper halves of floats: 8 bits of exponent, 7 of fraction. They stand in arrays as shorts. */
public final class Bf16 {
    /** As many shorts as a vector has floats. */
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

    private static final int HALF = 16;
    private static final int UPPER_HALF = 0xffff_0000;
    /** With the lowest bit that stays added, rounds to nearest, ties to even. */
    private static final int ROUNDING = 0x7fff;
    /** Set in a NaN, so that one stays whose lower half alone told it from infinity. */
    private static final int QUIET = 0x40_0000;

    private Bf16() {}

    /** Floats to bf16, rounded to nearest, ties to even; NaN stays NaN, too large becomes infinite. */
    public static void narrowRow(float[] from, int at, short[] to, int toAt, int length) {
        int i = 0;
        for (; i + LENGTH <= length; i += LENGTH) {
            store(FloatVector.fromArray(FLOATS, from, at + i), to, toAt + i);
        }
        for (; i < length; i++) {
            to[toAt + i] = narrow(from[at + i]);
        }
    }

    /** Bf16 to floats, exactly. */
    public static void widenRow(short[] from, int at, float[] to, int toAt, int length) {
        int i = 0;
        for (; i + LENGTH <= length; i += LENGTH) {
            load(from, at + i).intoArray(to, toAt + i);
        }
        for (; i < length; i++) {
            to[toAt + i] = widen(from[at + i]);
        }
    }

    /**
     * Floats as the sum of two bf16: rounded, which is written twice, and what that left over.
     *
     * @param high where rounded floats go
     * @param again where they go once more
     * @param low where the rest goes
     */
    static void splitRow(float[] from, int at, short[] to, int high, int again, int low, int length) {
        int i = 0;
        for (; i + LENGTH <= length; i += LENGTH) {
            FloatVector values = FloatVector.fromArray(FLOATS, from, at + i);
            IntVector rounded = rounded(values);
            store(rounded, to, high + i);
            store(rounded, to, again + i);
            FloatVector widened = rounded.and(UPPER_HALF).reinterpretAsFloats();
            store(rounded(values.sub(widened)), to, low + i);
        }
        for (; i < length; i++) {
            short rounded = narrow(from[at + i]);
            to[high + i] = rounded;
            to[again + i] = rounded;
            to[low + i] = narrow(from[at + i] - widen(rounded));
        }
    }

    /** A vector's floats as bf16. */
    static void store(FloatVector values, short[] to, int at) {
        store(rounded(values), to, at);
    }

    private static void store(IntVector rounded, short[] to, int at) {
        ((ShortVector) rounded.lanewise(VectorOperators.LSHR, HALF).convertShape(VectorOperators.I2S, SHORTS, 0))
                .intoArray(to, at);
    }

    /** The bits of floats, whose upper halves are those of the nearest bf16. */
    private static IntVector rounded(FloatVector values) {
        IntVector bits = values.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, HALF).and(1);
        VectorMask<Integer> nan = values.compare(VectorOperators.NE, values).cast(INTS);
        return bits.add(odd).add(ROUNDING).blend(bits.or(QUIET), nan);
    }

    /** A vector of bf16 as floats. */
    static FloatVector load(short[] from, int at) {
        IntVector bits = (IntVector) ShortVector.fromArray(SHORTS, from, at).convertShape(VectorOperators.S2I, INTS, 0);
        return bits.lanewise(VectorOperators.LSHL, HALF).reinterpretAsFloats();
    }

    static short narrow(float value) {
        int bits = Float.floatToRawIntBits(value);
        int rounded = Float.isNaN(value) ? bits | QUIET : bits + ROUNDING + (bits >>> HALF & 1);
        return (short) (rounded >>> HALF);
    }

    static float widen(short value) {
        return Float.intBitsToFloat(value << HALF);
    }
}
