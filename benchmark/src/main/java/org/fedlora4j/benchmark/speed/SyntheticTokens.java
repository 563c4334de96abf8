package org.fedlora4j.benchmark.speed;

import org.fedlora4j.model.TokenBatch;

/** Token ids that are the same in every language: {@code benchmark/peers/measure.py} makes them too. */
final class SyntheticTokens {
    private SyntheticTokens() {}

    /** Ids [rows][tokens] of a linear congruential generator, C's own. */
    static int[][] ids(int vocabularySize, int rows, int tokens) {
        int[][] ids = new int[rows][tokens];
        long state = 1;
        for (int[] row : ids) {
            for (int i = 0; i < tokens; i++) {
                state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
                row[i] = (int) ((state >> 8) % vocabularySize);
            }
        }
        return ids;
    }

    /** A batch of which every position is a target. */
    static TokenBatch batch(int vocabularySize, int rows, int tokens) {
        int[][] ids = ids(vocabularySize, rows, tokens);
        return new TokenBatch(ids, ids, 0);
    }
}
