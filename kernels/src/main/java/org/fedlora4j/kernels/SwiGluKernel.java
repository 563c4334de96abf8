package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.LENGTH;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** The gated activation y = g · sigmoid(g) · u and its gradients, in tiles. */
public final class SwiGluKernel {
    private static final int TILE = 1_024;

    private SwiGluKernel() {}

    /**
     * The activation.
     *
     * @param gate g [length]
     * @param up u [length]
     * @param y [length], overwritten
     */
    public static void forward(Numbers gate, Numbers up, Numbers y, int length) {
        Team.run(length, TILE, (from, to, member) -> {
            float[] scratch = Scratch.floats(member, 2 * TILE);
            for (int begin = from; begin < to; begin += TILE) {
                int tile = Math.min(TILE, to - begin);
                load(gate, begin, scratch, 0, tile, member);
                load(up, begin, scratch, TILE, tile, member);
                activationOfRow(scratch, TILE, tile);
                y.put(begin, scratch, 0, tile, member);
            }
        });
    }

    /**
     * The gradients: with s = sigmoid(g), du = dy · g · s and dg = dy · u · s · (1 + g · (1 - s)).
     *
     * @param gate g [length]
     * @param up u [length]
     * @param dy [length]
     * @param dGate [length], overwritten
     * @param dUp [length], overwritten
     */
    public static void backward(Numbers gate, Numbers up, Numbers dy, Numbers dGate, Numbers dUp, int length) {
        Team.run(length, TILE, (from, to, member) -> {
            float[] scratch = Scratch.floats(member, 3 * TILE);
            for (int begin = from; begin < to; begin += TILE) {
                int tile = Math.min(TILE, to - begin);
                load(gate, begin, scratch, 0, tile, member);
                load(up, begin, scratch, TILE, tile, member);
                load(dy, begin, scratch, 2 * TILE, tile, member);
                gradientOfRow(scratch, tile);
                dGate.put(begin, scratch, 0, tile, member);
                dUp.put(begin, scratch, TILE, tile, member);
            }
        });
    }

    /** In place of g, which begins the row; what fills its last vector up becomes anything. */
    static void activationOfRow(float[] row, int up, int length) {
        for (int i = 0; i < length; i += LENGTH) {
            FloatVector g = Lanes.load(row, i);
            g.mul(sigmoid(g)).mul(Lanes.load(row, up + i)).intoArray(row, i);
        }
    }

    private static void gradientOfRow(float[] scratch, int tile) {
        for (int i = 0; i < tile; i += LENGTH) {
            FloatVector g = Lanes.load(scratch, i);
            FloatVector s = sigmoid(g);
            FloatVector scaled = Lanes.load(scratch, 2 * TILE + i).mul(s);
            FloatVector slope = g.sub(g.mul(s)).add(1);
            scaled.mul(Lanes.load(scratch, TILE + i)).mul(slope).intoArray(scratch, i);
            scaled.mul(g).intoArray(scratch, TILE + i);
        }
    }

    private static FloatVector sigmoid(FloatVector x) {
        return FloatVector.broadcast(FLOATS, 1).div(Lanes.exp(x.neg()).add(1));
    }

    /** Copies a tile in; the lanes after a short one get zeros, so that they compute something harmless. */
    private static void load(Numbers from, int begin, float[] scratch, int at, int tile, int member) {
        from.get(begin, scratch, at, tile, member);
        Arrays.fill(scratch, at + tile, at + Lanes.roundUp(tile), 0);
    }
}
