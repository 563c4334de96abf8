package org.fedlora4j.model;

import java.util.Arrays;

/**
 * Rows of token ids of any lengths, which the model pads to the right.
 *
 * @param ids [rows][length of the row], at least one token each
 * @param labels the same shape: the id that this position should have been predicted to be, or {@link #IGNORED}
 * @param padId the id at padded positions; it shows nowhere but in their own hidden states
 */
public record TokenBatch(int[][] ids, int[][] labels, int padId) {
    /** Rows are padded to a multiple of at least so many tokens. */
    private static final int PADDED_STEP = 16;

    /** A label that is no target. */
    public static final int IGNORED = -100;

    public TokenBatch {
        if (ids.length == 0 || ids.length != labels.length) {
            throw new IllegalArgumentException(ids.length + " rows of ids and " + labels.length + " of labels");
        }
        for (int row = 0; row < ids.length; row++) {
            if (ids[row].length == 0 || ids[row].length != labels[row].length) {
                throw new IllegalArgumentException(
                        "row " + row + " has " + ids[row].length + " ids and " + labels[row].length + " labels");
            }
        }
    }

    /** A batch without targets. */
    public static TokenBatch of(int[][] ids) {
        int[][] labels = new int[ids.length][];
        for (int row = 0; row < ids.length; row++) {
            labels[row] = new int[ids[row].length];
            Arrays.fill(labels[row], IGNORED);
        }
        return new TokenBatch(ids, labels, 0);
    }

    public int rows() {
        return ids.length;
    }

    /** Tokens of the longest row. */
    public int longest() {
        return Arrays.stream(ids).mapToInt(row -> row.length).max().orElseThrow();
    }

    /**
     * Tokens that every row is computed with: those of the longest one, rounded up so that few plans serve all batches, to
     * a multiple of 16 up to 256, of 32 up to 512, of 64 up to 1,024 and so on.
     */
    int paddedLength() {
        int longest = longest();
        int step = Math.max(PADDED_STEP, Integer.highestOneBit(longest - 1) / 8);
        return (longest + step - 1) / step * step;
    }

    /** Each row's last token, as a row of the padded batch. */
    int[] lastRows() {
        int[] last = new int[rows()];
        for (int row = 0; row < last.length; row++) {
            last[row] = row * paddedLength() + ids[row].length - 1;
        }
        return last;
    }

    /** Tokens of padding that are computed beside {@link #tokens}. */
    public int padding() {
        return rows() * paddedLength() - tokens();
    }

    /** Tokens of all rows, padding not counted. */
    public int tokens() {
        return Arrays.stream(ids).mapToInt(row -> row.length).sum();
    }

    /** Positions whose next token is a target. */
    public int targets() {
        int targets = 0;
        for (int[] row : labels) {
            for (int position = 1; position < row.length; position++) {
                targets += row[position] == IGNORED ? 0 : 1;
            }
        }
        return targets;
    }
}
