package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;

import jdk.incubator.vector.FloatVector;

/** Rotary position embedding in the half-split convention: entries i and i + h/2 of a head are turned as a pair. */
public final class RopeKernel {
    private RopeKernel() {}

    /**
     * Turns every pair by its angle, or back by it, which is also the gradient of turning.
     *
     * @param x [rows, width], width = heads · headSize
     * @param cos the angles' cosines, [rows, width]; those of the first half of the first head are read
     * @param sin the same for the sines
     * @param y [rows, width], overwritten; may be {@code x}
     * @param direction 1 to turn, -1 to turn back
     */
    public static void turn(
            Numbers x, Numbers cos, Numbers sin, Numbers y, int rows, int width, int headSize, int direction) {
        int half = headSize / 2;
        Team.run(rows, 1, (from, to, member) -> {
            float[] scratch = Scratch.floats(member, width + headSize);
            for (int row = from; row < to; row++) {
                x.get(row * width, scratch, 0, width, member);
                cos.get(row * width, scratch, width, half, member);
                sin.get(row * width, scratch, width + half, half, member);
                for (int head = 0; head < width; head += headSize) {
                    turnHeadOfRow(scratch, head, half, width, direction);
                }
                y.put(row * width, scratch, 0, width, member);
            }
        });
    }

    private static void turnHeadOfRow(float[] values, int head, int half, int table, int direction) {
        int i = 0;
        for (; i + LENGTH <= half; i += LENGTH) {
            FloatVector cos = load(values, table + i);
            FloatVector sin = load(values, table + half + i).mul(direction);
            FloatVector first = load(values, head + i);
            FloatVector second = load(values, head + half + i);
            first.mul(cos).sub(second.mul(sin)).intoArray(values, head + i);
            second.mul(cos).add(first.mul(sin)).intoArray(values, head + half + i);
        }
        for (; i < half; i++) {
            float cos = values[table + i];
            float sin = values[table + half + i] * direction;
            float first = values[head + i];
            float second = values[head + half + i];
            values[head + i] = first * cos - second * sin;
            values[head + half + i] = second * cos + first * sin;
        }
    }
}
