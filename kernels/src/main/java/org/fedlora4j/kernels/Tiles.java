package org.fedlora4j.kernels;

import java.util.stream.IntStream;

/**
 * A product [rows, columns] in tiles, of which each member of the {@link Team} has as many as any other, one after the other:
 * of some columns, so that it reads its part of the right matrix only, or of some rows.
 */
final class Tiles {
    /** From so many rows on, members have rows each: what a member made, it reads again, from its own cache. */
    static final int MANY_ROWS = 256;

    /** Of tiles in the cache, and of those that are of all rows as far as the cache can hold them. */
    private static final int ROWS = 256;

    private static final int TALL_ROWS = 512;
    private static final int COLUMNS = 320;

    /** From so many elements on, the right matrix leaves the cache before it is used again. */
    private static final long LARGE = 1 << 22;

    /**
     * Tiles are of multiples of so many rows or columns, a tile of AMX, two vectors of AVX-512; the last has what is left
     * over, too, so that none is a single column.
     */
    private static final int GRAIN = 32;

    private final int[] rows;
    private final int[] columns;
    private final boolean byColumns;

    private Tiles(int[] rows, int[] columns, boolean byColumns) {
        this.rows = rows;
        this.columns = columns;
        this.byColumns = byColumns;
    }

    /** A tile for each member, of columns or of rows. */
    static Tiles forMembers(int rows, int columns, boolean byColumns) {
        return new Tiles(
                bounds(rows, byColumns ? 1 : Team.size()), bounds(columns, byColumns ? Team.size() : 1), byColumns);
    }

    /**
     * Tiles that stay in the cache while something is done to them. Where it can't hold the right matrix, they are taller and
     * by columns, so that it is read once.
     *
     * @param inner the product's terms: the right matrix has inner · columns elements
     */
    static Tiles inCache(int rows, int inner, int columns) {
        boolean byColumns = isLarge(inner, columns) || rows < MANY_ROWS;
        int across = columns / COLUMNS;
        return new Tiles(
                bounds(rows, byColumns ? Math.max(1, rows / TALL_ROWS) : forEachMember(rows / ROWS)),
                bounds(columns, byColumns ? forEachMember(across) : Math.max(1, across)),
                byColumns);
    }

    /** Whether tiles in the cache are of all rows, and these are many, where the cache can't hold the right matrix. */
    static boolean areTall(int rows, int inner, int columns) {
        return isLarge(inner, columns) && rows > MANY_ROWS && rows < 2 * TALL_ROWS;
    }

    private static boolean isLarge(int inner, int columns) {
        return (long) inner * columns >= LARGE;
    }

    /** So many or a few more: as many for each member. */
    private static int forEachMember(int count) {
        return (Math.max(1, count) + Team.size() - 1) / Team.size() * Team.size();
    }

    /** Where parts of a length begin, and where the last one ends; fewer than asked for where it is short. */
    static int[] bounds(int length, int parts) {
        int grains = Math.max(1, length / GRAIN);
        int[] bounds = new int[Math.min(parts, grains) + 1];
        for (int i = 0; i < bounds.length; i++) {
            bounds[i] = (int) ((long) grains * i / (bounds.length - 1)) * GRAIN;
        }
        bounds[bounds.length - 1] = length;
        return bounds;
    }

    int count() {
        return (rows.length - 1) * (columns.length - 1);
    }

    private int down(int tile) {
        return byColumns ? tile % (rows.length - 1) : tile / (columns.length - 1);
    }

    private int across(int tile) {
        return byColumns ? tile / (rows.length - 1) : tile % (columns.length - 1);
    }

    /** How many columns the widest tile has. */
    int mostColumns() {
        return IntStream.range(0, count()).map(this::columns).max().orElseThrow();
    }

    /** A tile's first row. */
    int row(int tile) {
        return rows[down(tile)];
    }

    /** A tile's first column. */
    int column(int tile) {
        return columns[across(tile)];
    }

    /** How many rows a tile has. */
    int rows(int tile) {
        return rows[down(tile) + 1] - row(tile);
    }

    /** How many columns a tile has. */
    int columns(int tile) {
        return columns[across(tile) + 1] - column(tile);
    }
}
