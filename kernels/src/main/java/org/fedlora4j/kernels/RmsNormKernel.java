package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;

import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/** Root mean square norm and its gradient, y = w · x · s with s = 1 / sqrt(mean(x²) + ε), a row at a time. */
public final class RmsNormKernel {
    private RmsNormKernel() {}

    /**
     * The norm of each row.
     *
     * @param x [rows, width]
     * @param weight [width]
     * @param y [rows, width], overwritten
     * @param low [rows, width], overwritten with what rounding to y left over; or null
     */
    public static void forward(
            Numbers x, Numbers weight, Numbers y, @Nullable Numbers low, int rows, int width, float epsilon) {
        Team.run(rows, 1, (from, to, member) -> {
            float[] scratch = Scratch.floats(member, 3 * width + LENGTH);
            weight.get(0, scratch, width, width, member);
            for (int row = from; row < to; row++) {
                x.get(row * width, scratch, 0, width, member);
                normOfRow(scratch, width, epsilon);
                y.put(row * width, scratch, 0, width, member);
                if (low != null) {
                    y.get(row * width, scratch, 2 * width, width, member);
                    Lanes.subtractFromRow(scratch, 0, 2 * width, width);
                    low.put(row * width, scratch, 0, width, member);
                }
            }
        });
    }

    /**
     * The gradient by x, and what else x's gradient sums up: with g = w · dy, dx = s · g - x · s³ · mean(g · x) + plus.
     *
     * @param x [rows, width]
     * @param weight [width]
     * @param dy [rows, width]
     * @param plus [rows, width], or null for nothing
     * @param dx [rows, width], overwritten; may be {@code dy} or {@code plus}
     */
    public static void backward(
            Numbers x,
            Numbers weight,
            Numbers dy,
            @Nullable Numbers plus,
            Numbers dx,
            int rows,
            int width,
            float epsilon) {
        Team.run(rows, 1, (from, to, member) -> {
            float[] scratch = Scratch.floats(member, 3 * width + LENGTH);
            weight.get(0, scratch, 2 * width, width, member);
            for (int row = from; row < to; row++) {
                x.get(row * width, scratch, 0, width, member);
                dy.get(row * width, scratch, width, width, member);
                gradientOfRow(scratch, width, epsilon);
                if (plus != null) {
                    plus.get(row * width, scratch, width, width, member);
                    Lanes.addToRow(scratch, 0, width, width);
                }
                dx.put(row * width, scratch, 0, width, member);
            }
        });
    }

    /** A row and the weight after it, in place. */
    private static void normOfRow(float[] scratch, int width, float epsilon) {
        float s = scale(dot(scratch, 0, 0, width, 2 * width), width, epsilon);
        int i = 0;
        for (; i + LENGTH <= width; i += LENGTH) {
            load(scratch, i).mul(s).mul(load(scratch, width + i)).intoArray(scratch, i);
        }
        for (; i < width; i++) {
            scratch[i] = scratch[i] * s * scratch[width + i];
        }
    }

    /** A row, its output's gradient and the weight after it, in place. */
    private static void gradientOfRow(float[] scratch, int width, float epsilon) {
        multiply(scratch, width, 2 * width, width);
        float s = scale(dot(scratch, 0, 0, width, 3 * width), width, epsilon);
        float t = -s * s * s * dot(scratch, 0, width, width, 3 * width) / width;
        int i = 0;
        for (; i + LENGTH <= width; i += LENGTH) {
            load(scratch, i).mul(t).add(load(scratch, width + i).mul(s)).intoArray(scratch, i);
        }
        for (; i < width; i++) {
            scratch[i] = scratch[i] * t + scratch[width + i] * s;
        }
    }

    private static float scale(float squares, int width, float epsilon) {
        return (float) (1 / Math.sqrt(squares / width + epsilon));
    }

    /** The product of two runs of the scratch, into the first. */
    private static void multiply(float[] scratch, int a, int b, int length) {
        int i = 0;
        for (; i + LENGTH <= length; i += LENGTH) {
            load(scratch, a + i).mul(load(scratch, b + i)).intoArray(scratch, a + i);
        }
        for (; i < length; i++) {
            scratch[a + i] *= scratch[b + i];
        }
    }

    /** The scalar product of two runs of the scratch; a vector of it, at {@code sums}, is overwritten. */
    private static float dot(float[] scratch, int a, int b, int length, int sums) {
        FloatVector even = FloatVector.zero(FLOATS);
        FloatVector odd = FloatVector.zero(FLOATS);
        int i = 0;
        for (; i + 2 * LENGTH <= length; i += 2 * LENGTH) {
            even = load(scratch, a + i).fma(load(scratch, b + i), even);
            odd = load(scratch, a + i + LENGTH).fma(load(scratch, b + i + LENGTH), odd);
        }
        float sum = Lanes.sum(even.add(odd), scratch, sums);
        for (; i < length; i++) {
            sum += scratch[a + i] * scratch[b + i];
        }
        return sum;
    }
}
