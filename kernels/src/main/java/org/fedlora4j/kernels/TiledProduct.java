package org.fedlora4j.kernels;

import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;

/**
 * A product in {@link Tiles}. One of bfloat16 with many terms is summed up in pieces: the cache then holds a tile, and a
 * piece of what it is made of.
 */
final class TiledProduct {
    /** Most terms that are summed up in one go; more where it takes longest to pack a transposed matrix, for a few rows. */
    private static final int MOST_TERMS = 2048;

    private static final int MOST_TERMS_OF_FEW_ROWS = 4096;

    /** Terms of a piece. */
    private static final int PIECE = 1024;

    private final Shape shape;
    private final Tiles tiles;
    private final int[] terms;
    /** By tile and piece. */
    private final Product[][] products;

    TiledProduct(Shape shape, Tiles tiles) {
        this.shape = shape;
        this.tiles = tiles;
        terms = Tiles.bounds(shape.inner(), hasPieces(shape) ? shape.inner() / PIECE : 1);
        products = new Product[tiles.count()][terms.length - 1];
        for (int tile = 0; tile < products.length; tile++) {
            Shape part = shape.part(tiles.rows(tile), tiles.columns(tile));
            for (int piece = 0; piece < products[tile].length; piece++) {
                Shape summed = piece == 0 ? part : part.with(Sum.RESULT);
                products[tile][piece] = Product.of(summed.withTerms(terms[piece + 1] - terms[piece]));
            }
        }
    }

    /** Whether a product is summed up in pieces. */
    static boolean hasPieces(Shape shape) {
        boolean few = shape.right().transposed() && shape.rows() <= Tiles.MANY_ROWS;
        return isMixed(shape) && shape.inner() > (few ? MOST_TERMS_OF_FEW_ROWS : MOST_TERMS);
    }

    /** Whether bfloat16 is summed up in float32; a result of bfloat16 would be rounded with each piece. */
    static boolean isMixed(Shape shape) {
        return shape.left().type() == Type.BF16 && shape.result().type() == Type.F32;
    }

    /**
     * Makes a tile.
     *
     * @param left the address of the left matrix, as {@code right} is of the right one
     * @param result the address of the tile
     * @param other the address of what is added to the tile, with {@link Sum#OTHER}
     */
    void run(int member, int tile, long left, long right, long result, long other) {
        for (int piece = 0; piece < products[tile].length; piece++) {
            products[tile][piece].run(
                    member,
                    left + shape.left().offset(tiles.row(tile), terms[piece]),
                    right + shape.right().offset(terms[piece], tiles.column(tile)),
                    result,
                    other);
        }
    }
}
