package org.fedlora4j.kernels;

/**
 * A product [rows, columns] in tiles that stay in the cache while something is done to them, in shares for the members of the
 * {@link Team}: of columns, or of rows where there are many. Where the cache can't hold the right matrix, tiles are taller and
 * shares are of columns, so that it is read once.
 */
final class Tiles {
    private static final int ROWS = 256;
    private static final int TALL_ROWS = 512;
    private static final int COLUMNS = 384;

    /** From so many elements on, the right matrix leaves the cache before it is used again. */
    private static final long LARGE = 1 << 23;

    private final int[] rows;
    private final int[] columns;

    /** @param inner the product's terms: the right matrix has inner · columns elements */
    Tiles(int rows, int inner, int columns) {
        boolean large = (long) inner * columns >= LARGE;
        boolean byColumns = large || rows < SharedProduct.MANY_ROWS;
        int across = columns / COLUMNS;
        this.rows = SharedProduct.bounds(rows, byColumns ? Math.max(1, rows / TALL_ROWS) : shared(rows / ROWS));
        this.columns = SharedProduct.bounds(columns, byColumns ? shared(across) : Math.max(1, across));
    }

    /** So many or a few more: as many for each member. */
    private static int shared(int count) {
        return (Math.max(1, count) + Team.size() - 1) / Team.size() * Team.size();
    }

    int count() {
        return (rows.length - 1) * (columns.length - 1);
    }

    /** A tile's first row. */
    int row(int tile) {
        return rows[tile / (columns.length - 1)];
    }

    /** A tile's first column. */
    int column(int tile) {
        return columns[tile % (columns.length - 1)];
    }

    /** How many rows a tile has. */
    int rows(int tile) {
        return rows[tile / (columns.length - 1) + 1] - row(tile);
    }

    /** How many columns a tile has. */
    int columns(int tile) {
        return columns[tile % (columns.length - 1) + 1] - column(tile);
    }
}
