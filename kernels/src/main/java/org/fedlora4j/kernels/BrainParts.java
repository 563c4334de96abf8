package org.fedlora4j.kernels;

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
     * The parts of some rows of heads.
     *
     * @param floats [all rows, heads · h]
     * @param parts [all rows, heads · 3 · h], the rows are overwritten
     */
    static void copy(
            FloatBuffer floats,
            int fromRow,
            int toRow,
            int heads,
            int headSize,
            Side side,
            ShortBuffer parts,
            int member) {
        int width = heads * headSize;
        float[] row = Scratch.floats(member, width);
        short[] rowParts = Scratch.shorts(member, COUNT * width);
        for (int i = fromRow; i < toRow; i++) {
            floats.get(i * width, row, 0, width);
            for (int head = 0; head < heads; head++) {
                int at = COUNT * head * headSize;
                int again = at + side.high * headSize;
                Bf16.splitRow(row, head * headSize, rowParts, at, again, at + side.low * headSize, headSize);
            }
            parts.put(i * COUNT * width, rowParts, 0, COUNT * width);
        }
    }
}
