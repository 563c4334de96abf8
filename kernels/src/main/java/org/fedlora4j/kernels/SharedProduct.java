package org.fedlora4j.kernels;

/**
 * A product whose result the members of the {@link Team} make in shares: ranges of its columns, so that each packs its part
 * of the weights only, or ranges of its rows where there are many.
 */
public final class SharedProduct {
    /** From so many rows on, members have rows each: what a member made, it reads again, from its own cache. */
    static final int MANY_ROWS = 256;

    /**
     * Shares are multiples of so many rows or columns, a tile of AMX, two vectors of AVX-512; the last has what is left
     * over, too, so that none is a single column.
     */
    private static final int GRAIN = 32;

    private final Product.Shape shape;
    private final boolean byColumns;
    private final int[] bounds;
    private final Product[] parts;

    public SharedProduct(Product.Shape shape) {
        this.shape = shape;
        byColumns = shape.rows() < MANY_ROWS;
        bounds = bounds(byColumns ? shape.columns() : shape.rows(), Team.size());
        parts = new Product[bounds.length - 1];
        for (int i = 0; i < parts.length; i++) {
            int size = bounds[i + 1] - bounds[i];
            parts[i] = Product.of(byColumns ? shape.part(shape.rows(), size) : shape.part(size, shape.columns()));
        }
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
            for (int i = from; i < to; i++) {
                int row = byColumns ? 0 : bounds[i];
                int column = byColumns ? bounds[i] : 0;
                parts[i].run(
                        member,
                        left + shape.left().offset(row, 0),
                        right + shape.right().offset(0, column),
                        result + shape.result().offset(row, column),
                        other + (row * shape.result().stride() + column) * Float.BYTES);
            }
        });
    }
}
