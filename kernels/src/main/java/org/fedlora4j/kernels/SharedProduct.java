package org.fedlora4j.kernels;

/**
 * A product whose result the members of the {@link Team} make in shares: ranges of its columns, so that each packs its part
 * of the weights only, or ranges of its rows where there are many.
 */
public final class SharedProduct {
    /**
     * Shares are multiples of so many rows or columns, a tile of AMX, two vectors of AVX-512; the last has what is left
     * over, too, so that none is a single column.
     */
    private static final int GRAIN = 32;

    /** From so many rows on, members have rows each: what a member made, it reads again, from its own cache. */
    private static final int MANY_ROWS = 256;

    private final Product.Shape shape;
    private final boolean byColumns;
    private final int[] begins;
    private final Product[] parts;
    /** The same parts, added to what stands in the result. */
    private final Product[] additions;

    public SharedProduct(Product.Shape shape) {
        this(shape, false);
    }

    /**
     * A product whose left matrix may be the sum of two, such as a bfloat16 one and what rounding to it left over.
     *
     * @param shape the result's type is float32
     */
    public static SharedProduct ofTwo(Product.Shape shape) {
        return new SharedProduct(shape, true);
    }

    private SharedProduct(Product.Shape shape, boolean ofTwo) {
        this.shape = shape;
        byColumns = shape.rows() < MANY_ROWS;
        int length = byColumns ? shape.columns() : shape.rows();
        int grains = Math.max(1, length / GRAIN);
        parts = new Product[Math.min(Team.size(), grains)];
        additions = new Product[ofTwo ? parts.length : 0];
        begins = new int[parts.length];
        for (int i = 0; i < parts.length; i++) {
            begins[i] = grains * i / parts.length * GRAIN;
            int end = i + 1 < parts.length ? grains * (i + 1) / parts.length * GRAIN : length;
            int size = end - begins[i];
            Product.Shape part = byColumns ? shape.part(shape.rows(), size) : shape.part(size, shape.columns());
            parts[i] = Product.of(part);
            if (ofTwo) {
                additions[i] = Product.of(part.with(Product.Sum.RESULT));
            }
        }
    }

    /** Multiplies matrices at addresses; {@code other} is what is added, with {@link Product.Sum#OTHER}. */
    public void run(long left, long right, long result, long other) {
        Team.run(parts.length, 1, (from, to, member) -> {
            for (int i = from; i < to; i++) {
                run(parts[i], i, member, left, right, result, other);
            }
        });
    }

    /** Multiplies the sum of two left matrices; see {@link #ofTwo}. */
    public void run(long left, long further, long right, long result, long other) {
        Team.run(parts.length, 1, (from, to, member) -> {
            for (int i = from; i < to; i++) {
                run(parts[i], i, member, further, right, result, other);
                run(additions[i], i, member, left, right, result, other);
            }
        });
    }

    private void run(Product product, int part, int member, long left, long right, long result, long other) {
        int row = byColumns ? 0 : begins[part];
        int column = byColumns ? begins[part] : 0;
        product.run(
                member,
                left + shape.left().offset(row, 0),
                right + shape.right().offset(0, column),
                result + shape.result().offset(row, column),
                other + (row * shape.result().stride() + column) * Float.BYTES);
    }
}
