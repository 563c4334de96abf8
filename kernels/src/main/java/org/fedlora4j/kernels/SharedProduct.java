package org.fedlora4j.kernels;

import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;

/** A product whose result the members of the {@link Team} make in {@link Tiles}: one each, or of large bfloat16 ones more. */
public final class SharedProduct {
    private final Shape shape;
    private final Tiles tiles;
    private final TiledProduct product;

    public SharedProduct(Shape shape) {
        this.shape = shape;
        tiles = tiles(shape);
        product = new TiledProduct(shape, tiles);
    }

    private static Tiles tiles(Shape shape) {
        if (TiledProduct.isMixed(shape) && Tiles.areTall(shape.rows(), shape.inner(), shape.columns())) {
            return Tiles.inCache(shape.rows(), shape.inner(), shape.columns());
        }
        boolean byColumns = TiledProduct.hasPieces(shape) || shape.rows() < Tiles.MANY_ROWS && !isSlowByColumns(shape);
        return Tiles.forMembers(shape.rows(), shape.columns(), byColumns);
    }

    /** oneDNN 3.13 takes seconds to add a matrix whose rows have gaps; of float32 it is copied first, see {@link Product}. */
    private static boolean isSlowByColumns(Shape shape) {
        return shape.sum() == Sum.OTHER && shape.result().type() == Type.BF16;
    }

    /** Multiplies matrices at addresses; {@code other} is what is added, with {@link Product.Sum#OTHER}. */
    public void run(long left, long right, long result, long other) {
        Team.run(tiles.count(), 1, (from, to, member) -> {
            for (int tile = from; tile < to; tile++) {
                long at = tiles.row(tile) * shape.result().stride() + tiles.column(tile);
                long resultAt = result + at * shape.result().type().bytes();
                product.run(member, tile, left, right, resultAt, other + at * Float.BYTES);
            }
        });
    }
}
