package org.fedlora4j.kernels;

/**
 * The product of a left matrix in two parts, high and low, such as bfloat16 and what rounding to it left over. The result,
 * float32, is made in {@link Tiles}: the second part finds a tile and its weights in the cache.
 */
public final class WideProduct {
    private final Product.Shape shape;
    private final Tiles tiles;
    private final TiledProduct low;
    private final TiledProduct high;

    public WideProduct(Product.Shape shape) {
        this.shape = shape;
        tiles = Tiles.inCache(shape.rows(), shape.inner(), shape.columns());
        low = new TiledProduct(shape, tiles);
        high = new TiledProduct(shape.with(Product.Sum.RESULT), tiles);
    }

    /** Multiplies matrices at addresses; {@code other} is what is added, with {@link Product.Sum#OTHER}. */
    public void run(long leftHigh, long leftLow, long right, long result, long other) {
        Team.run(tiles.count(), 1, (from, to, member) -> {
            for (int tile = from; tile < to; tile++) {
                long at = (tiles.row(tile) * shape.result().stride() + tiles.column(tile)) * Float.BYTES;
                low.run(member, tile, leftLow, right, result + at, other + at);
                high.run(member, tile, leftHigh, right, result + at, 0);
            }
        });
    }
}
