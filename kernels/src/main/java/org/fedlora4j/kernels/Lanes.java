package org.fedlora4j.kernels;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** What kernels share: the vector shape of this CPU, sums in a fixed order, and the exponential. */
final class Lanes {
    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    static final int LENGTH = FLOATS.length();

    private static final float LOG2_E = 1.44269504f;
    /** ln 2 in two floats, the first with few bits, so that n · LN2_HIGH is exact. */
    private static final float LN2_HIGH = 0.693359375f;

    private static final float LN2_LOW = -2.12194440e-4f;
    /** Adding it rounds a float of small size to the nearest integer, which then stands in the low bits. */
    private static final float ROUNDING = 12_582_912f; // 1.5 * 2^23

    private static final float LOWEST = -87.3f;
    private static final float HIGHEST = 88.3f;

    private Lanes() {}

    static FloatVector load(float[] values, int at) {
        return FloatVector.fromArray(FLOATS, values, at);
    }

    /** A length rounded up to whole vectors. */
    static int roundUp(int length) {
        return (length + LENGTH - 1) / LENGTH * LENGTH;
    }

    /**
     * The sum of a vector's lanes, in a fixed order. The scratch has room for a vector at {@code at}, overwritten.
     *
     * <p>Short, so that it is always inlined: a vector that is handed to a method that was not is an object.
     */
    static float sum(FloatVector vector, float[] scratch, int at) {
        vector.intoArray(scratch, at);
        return sum(scratch, at);
    }

    /** The sum of a vector's lanes that stand in an array, in a fixed order. */
    static float sum(float[] lanes, int at) {
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        for (int i = at; i < at + LENGTH; i += 4) {
            a += lanes[i];
            b += lanes[i + 1];
            c += lanes[i + 2];
            d += lanes[i + 3];
        }
        return (a + b) + (c + d);
    }

    /** Adds one run of numbers to another. */
    static void addToRow(float[] values, int to, int from, int length) {
        int i = 0;
        for (; i + LENGTH <= length; i += LENGTH) {
            load(values, to + i).add(load(values, from + i)).intoArray(values, to + i);
        }
        for (; i < length; i++) {
            values[to + i] += values[from + i];
        }
    }

    /** Multiplies a run of numbers. */
    static void scaleRow(float[] values, int at, int length, float factor) {
        int i = 0;
        for (; i + LENGTH <= length; i += LENGTH) {
            load(values, at + i).mul(factor).intoArray(values, at + i);
        }
        for (; i < length; i++) {
            values[at + i] *= factor;
        }
    }

    /** Takes one run of numbers from another. */
    static void subtractFromRow(float[] values, int to, int from, int length) {
        int i = 0;
        for (; i + LENGTH <= length; i += LENGTH) {
            load(values, to + i).sub(load(values, from + i)).intoArray(values, to + i);
        }
        for (; i < length; i++) {
            values[to + i] -= values[from + i];
        }
    }

    /**
     * e^x to 2 units in the last place, and exactly 0 below -87.3 and at most e^88.3: x = n·ln 2 + r, e^r by Cephes'
     * polynomial of degree 5 (<a href="https://www.netlib.org/cephes/">expf</a>), times 2^n through the exponent's bits.
     */
    static FloatVector exp(FloatVector x) {
        return expUpToLargest(x.blend(HIGHEST, x.compare(VectorOperators.GT, HIGHEST)));
    }

    /** The same for x up to 88.3. */
    static FloatVector expUpToLargest(FloatVector x) {
        FloatVector shifted = x.fma(FloatVector.broadcast(FLOATS, LOG2_E), FloatVector.broadcast(FLOATS, ROUNDING));
        FloatVector n = shifted.sub(ROUNDING);
        FloatVector r = n.fma(FloatVector.broadcast(FLOATS, -LN2_HIGH), x);
        r = n.fma(FloatVector.broadcast(FLOATS, -LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(FLOATS, 1.9875691500e-4f);
        p = p.fma(r, FloatVector.broadcast(FLOATS, 1.3981999507e-3f));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 8.3334519073e-3f));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 4.1665795894e-2f));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 1.6666665459e-1f));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 5.0000001201e-1f));
        p = p.fma(r.mul(r), r).add(1);
        IntVector scale = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        // What is too small to be scaled so may have become anything.
        return p.reinterpretAsInts().add(scale).reinterpretAsFloats().blend(0, x.lt(LOWEST));
    }
}
