package org.fedlora4j.kernels;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * What an attention mask shows.
 *
 * @param seen for each row of each text, the positions up to the last that is shown
 * @param plain whether all of these are shown as they are
 */
record Visible(int[] seen, boolean[] plain, int tokens) {
    /** Widths of blocks are rounded up to a multiple of this, so that there are few different products. */
    private static final int GRAIN = 32;

    /** @param mask [rows, tokens], 0 or very negative */
    static Visible in(FloatBuffer mask, int rows, int tokens) {
        Visible visible = new Visible(new int[rows], new boolean[rows], tokens);
        Team.run(rows, 1, (from, to, member) -> {
            float[] row = Scratch.floats(member, Lanes.roundUp(tokens));
            for (int i = from; i < to; i++) {
                mask.get(i * tokens, row, 0, tokens);
                visible.seen[i] = AttentionRows.seenOfRow(row, tokens);
                visible.plain[i] = AttentionRows.isZero(row, visible.seen[i]);
            }
        });
        return visible;
    }

    /** How many positions a block of rows sees, rounded up. */
    int width(int row, int rows) {
        int most = Arrays.stream(seen, row, row + rows).max().orElseThrow();
        return Math.min(tokens, (most + GRAIN - 1) / GRAIN * GRAIN);
    }
}
