package org.fedlora4j.kernels;

/**
 * The product of a left matrix in two parts, high and low, such as bfloat16 and what rounding to it left over. The result,
 * float32, is made in {@link Tiles}: the second part finds a tile and its weights in the cache.
 */
public final class WideProduct {
    private final Product.Shape shape;
    private final Tiles tiles;
    private final Product[] low;
    private final Product[] high;

    public WideProduct(Product.Shape shape) {
        this.shape = shape;
        tiles = new Tiles(shape.rows(), shape.inner(), shape.columns());
        low = new Product[tiles.count()];
        high = new Product[tiles.count()];
        for (int tile = 0; tile < tiles.count(); tile++) {
            Product.Shape part = shape.part(tiles.rows(tile), tiles.columns(tile));
            low[tile] = Product.of(part);
            high[tile] = Product.of(part.with(Product.Sum.RESULT));
        }
    }

    /** Multiplies matrices at addresses; {@code other} is what is added, with {@link Product.Sum#OTHER}. */
    public void run(long leftHigh, long leftLow, long right, long result, long other) {
        Team.run(tiles.count(), 1, (from, to, member) -> {
            for (int tile = from; tile < to; tile++) {
                int row = tiles.row(tile);
                int column = tiles.column(tile);
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
