package org.fedlora4j.kernels;

/**
 * The product of a left matrix in two parts, high and low, such as bfloat16 and what rounding to it left over. The result,
 * float32, is made in tiles: the second part finds a tile and its weights in the cache. Like a {@link SharedProduct}'s,
 * the {@link Team}'s members have columns each, or rows where there are many.
 */
public final class WideProduct {
    private static final int TILE_ROWS = 256;
    private static final int TILE_COLUMNS = 384;

    private final Product.Shape shape;
    private final int[] rows;
    private final int[] columns;
    /** By row of tiles, then by column. */
    private final Product[] low;

    private final Product[] high;

    public WideProduct(Product.Shape shape) {
        this.shape = shape;
        boolean byColumns = shape.rows() < SharedProduct.MANY_ROWS;
        rows = SharedProduct.bounds(shape.rows(), byColumns ? 1 : shared(shape.rows() / TILE_ROWS));
        int across = shape.columns() / TILE_COLUMNS;
        columns = SharedProduct.bounds(shape.columns(), byColumns ? shared(across) : Math.max(1, across));
        int tiles = (rows.length - 1) * (columns.length - 1);
        low = new Product[tiles];
        high = new Product[tiles];
        for (int tile = 0; tile < tiles; tile++) {
            int row = tile / (columns.length - 1);
            int column = tile % (columns.length - 1);
            Product.Shape part = shape.part(rows[row + 1] - rows[row], columns[column + 1] - columns[column]);
            low[tile] = Product.of(part);
            high[tile] = Product.of(part.with(Product.Sum.RESULT));
        }
    }

    /** So many or a few more: as many for each member. */
    private static int shared(int count) {
        return (Math.max(1, count) + Team.size() - 1) / Team.size() * Team.size();
    }

    /** Multiplies matrices at addresses; {@code other} is what is added, with {@link Product.Sum#OTHER}. */
    public void run(long leftHigh, long leftLow, long right, long result, long other) {
        Team.run(low.length, 1, (from, to, member) -> {
            for (int tile = from; tile < to; tile++) {
                int row = rows[tile / (columns.length - 1)];
                int column = columns[tile % (columns.length - 1)];
                long leftOffset = shape.left().offset(row, 0);
                long rightAt = right + shape.right().offset(0, column);
                long resultAt = result + shape.result().offset(row, column);
                long otherAt = other + (row * shape.result().stride() + column) * Float.BYTES;
                low[tile].run(member, leftLow + leftOffset, rightAt, resultAt, otherAt);
                high[tile].run(member, leftHigh + leftOffset, rightAt, resultAt, 0);
            }
        });
    }
}
