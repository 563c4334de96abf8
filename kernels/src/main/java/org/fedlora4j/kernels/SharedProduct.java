package org.fedlora4j.kernels;

import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;

/**
 * A product whose result the members of the {@link Team} make in shares: ranges of its columns, so that each packs its part
 * of the weights only, or ranges of its rows where there are many. A product of bfloat16 with very many terms is summed up in
 * pieces, of which the cache holds more.
 */
public final class SharedProduct {
    /** From so many rows on, members have rows each: what a member made, it reads again, from its own cache. */
    static final int MANY_ROWS = 256;

    /**
     * Shares are multiples of so many rows or columns, a tile of AMX, two vectors of AVX-512; the last has what is left
     * over, too, so that none is a single column.
     */
    private static final int GRAIN = 32;

    /** Terms of a piece. */
    private static final int PIECE = 1024;

    /** Most terms that are summed up in one go, where the right matrix lies there as it is, and where it is transposed. */
    private static final int MOST_TERMS = 2048;

    private static final int MOST_TERMS_TRANSPOSED = 4096;

    private final Shape shape;
    private final boolean byColumns;
    private final int[] bounds;
    private final int[] terms;
    /** By share and piece. */
    private final Product[][] parts;

    public SharedProduct(Shape shape) {
        this.shape = shape;
        boolean pieces = hasPieces(shape);
        byColumns = pieces || shape.rows() < MANY_ROWS && !isSlowByColumns(shape);
        bounds = bounds(byColumns ? shape.columns() : shape.rows(), Team.size());
        terms = bounds(shape.inner(), pieces ? shape.inner() / PIECE : 1);
        parts = new Product[bounds.length - 1][terms.length - 1];
        for (int share = 0; share < parts.length; share++) {
            int size = bounds[share + 1] - bounds[share];
            Shape part = byColumns ? shape.part(shape.rows(), size) : shape.part(size, shape.columns());
            for (int piece = 0; piece < parts[share].length; piece++) {
                Shape summed = piece == 0 ? part : part.with(Sum.RESULT);
                parts[share][piece] = Product.of(summed.withTerms(terms[piece + 1] - terms[piece]));
            }
        }
    }

    /** oneDNN 3.13 takes seconds to add a matrix whose rows have gaps; of float32 it is copied first, see {@link Product}. */
    private static boolean isSlowByColumns(Shape shape) {
        return shape.sum() == Sum.OTHER && shape.result().type() == Type.BF16;
    }

    private static boolean hasPieces(Shape shape) {
        return shape.left().type() == Type.BF16
                && shape.result().type() == Type.F32
                && shape.inner() > (shape.right().transposed() ? MOST_TERMS_TRANSPOSED : MOST_TERMS);
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

    /** Multiplies matrices at addresses; {@code other} is what is added, with {@link Product.Sum#OTHER}. */
    public void run(long left, long right, long result, long other) {
        Team.run(parts.length, 1, (from, to, member) -> {
            for (int share = from; share < to; share++) {
                int row = byColumns ? 0 : bounds[share];
                int column = byColumns ? bounds[share] : 0;
                for (int piece = 0; piece < parts[share].length; piece++) {
                    parts[share][piece].run(
                            member,
                            left + shape.left().offset(row, terms[piece]),
                            right + shape.right().offset(terms[piece], column),
                            result + shape.result().offset(row, column),
                            other + (row * shape.result().stride() + column) * Float.BYTES);
                }
            }
        });
    }
}
