package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;

/**
 * A float as two bf16, high + low, which is off by 2⁻¹⁷ of it at most. Heads of queries and keys are laid out so that one
 * product of bf16, three times as long, nearly gives that of the floats: of q = [high, high, low] and k = [high, low, high]
 * only low · low is missing (as in Henry et al., arXiv 1904.06376).
 */
final class BrainParts {
    /** How many parts a head has. */
    static final int COUNT = 3;

    private BrainParts() {}

    /** Whose parts. */
    enum Side {
        QUERY(1, 2),
        KEY(2, 1);

        /** Which part is the second high one, and which the low one; the first is high. */
        private final int high;

        private final int low;

        Side(int high, int low) {
            this.high = high;
            this.low = low;
        }
    }

    /**
     * The parts of rows of heads.
     *
     * @param from where rows of heads · h numbers stand, the first at {@code begin}, each further one {@code stride} on
     * @param to [rows, heads · 3 · h] from {@code toBegin} on, overwritten
     */
    static void copy(
            FloatBuffer from,
            int begin,
            int stride,
            int rows,
            int heads,
            int headSize,
            Side side,
            ShortBuffer to,
            int toBegin,
            int member) {
        int width = heads * headSize;
        float[] floats = Scratch.floats(member, width);
        short[] parts = Scratch.shorts(member, COUNT * width);
        for (int row = 0; row < rows; row++) {
            from.get(begin + row * stride, floats, 0, width);
            for (int head = 0; head < heads; head++) {
                partsOfRow(floats, head * headSize, parts, COUNT * head * headSize, headSize, side);
            }
            to.put(toBegin + row * COUNT * width, parts, 0, COUNT * width);
        }
    }

    private static void partsOfRow(float[] values, int at, short[] parts, int to, int headSize, Side side) {
        Bf16.narrowRow(values, at, parts, to, headSize);
        System.arraycopy(parts, to, parts, to + side.high * headSize, headSize);
        subtractFromRow(values, at, parts, to, headSize);
        Bf16.narrowRow(values, at, parts, to + side.low * headSize, headSize);
    }

    /** Takes numbers, rounded, from a run of floats. */
    private static void subtractFromRow(float[] values, int at, short[] rounded, int from, int length) {
        int i = 0;
        for (; i + LENGTH <= length; i += LENGTH) {
            load(values, at + i).sub(Bf16.load(rounded, from + i)).intoArray(values, at + i);
        }
        for (; i < length; i++) {
            values[at + i] -= Bf16.widen(rounded[from + i]);
        }
    }
}
