package org.fedlora4j.kernels;

/**
 * Memory for the rows that a member of the {@link Team} works on: rows are copied in, worked on and copied out. Copying a
 * row costs little beside what is done to it, it reads memory faster than vector loads do (long runs, prefetched), and
 * vectors over arrays work on every JDK. All kernels share it, so that it stays in the first cache level.
 */
final class Scratch {
    private static final float[][] FLOATS = new float[Team.size()][0];
    private static final short[][] SHORTS = new short[Team.size()][0];

    private Scratch() {}

    /** At least so many floats, for a share that the member runs; what they hold is left from the share before. */
    static float[] floats(int member, int length) {
        float[] floats = FLOATS[member];
        if (floats.length < length) {
            floats = new float[length];
            FLOATS[member] = floats;
        }
        return floats;
    }

    /** The same for shorts. */
    static short[] shorts(int member, int length) {
        short[] shorts = SHORTS[member];
        if (shorts.length < length) {
            shorts = new short[length];
            SHORTS[member] = shorts;
        }
        return shorts;
    }
}
