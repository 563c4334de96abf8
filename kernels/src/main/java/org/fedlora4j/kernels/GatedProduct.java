package org.fedlora4j.kernels;

import org.fedlora4j.kernels.Product.Operand;
import org.fedlora4j.kernels.Product.Shape;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.Product.Type;
import org.jspecify.annotations.Nullable;

/**
 * The gated activation of two products, silu(x·Gᵀ) · (x·Uᵀ), in {@link Tiles}: it finds both products in the cache, and they
 * are computed in float32 whatever type they are kept in.
 *
 * <p>N rows, D hidden size, F feed-forward size.
 */
public final class GatedProduct {
    private static final NativeBlock[] MEMORY = NativeBlock.forTeam();

    private final Tiles tiles;
    private final int hidden;
    private final int width;
    private final Type type;
    private final boolean wide;
    private final Factor gate;
    private final Factor up;

    /**
     * Products of such shapes.
     *
     * @param type of x, float32 or bfloat16
     * @param wide whether x comes in two parts, see {@link WideProduct}
     */
    public GatedProduct(int rows, int hidden, int width, Type type, Type gateType, Type upType, boolean wide) {
        this.hidden = hidden;
        this.width = width;
        this.type = type;
        this.wide = wide;
        tiles = new Tiles(rows, hidden, width);
        gate = new Factor(gateType);
        up = new Factor(upType);
    }

    /**
     * Where x [N, D] and weights [F, D] lie.
     *
     * @param low x's second part, if it has one
     */
    public record Inputs(long x, long low, long gate, long up) {}

    /**
     * Computes the activation.
     *
     * @param y [N, F], overwritten
     * @param gates [N, F], overwritten with x·Gᵀ; or null
     * @param ups [N, F], overwritten with x·Uᵀ; or null
     */
    public void run(Inputs inputs, Numbers y, @Nullable Numbers gates, @Nullable Numbers ups) {
        Team.run(tiles.count(), 1, (from, to, member) -> {
            for (int tile = from; tile < to; tile++) {
                int columns = tiles.columns(tile);
                long elements = (long) tiles.rows(tile) * columns;
                long gatesAt = MEMORY[member].address(2 * elements * Float.BYTES);
                long upsAt = gatesAt + elements * Float.BYTES;
                gate.multiply(tile, inputs, inputs.gate, gatesAt, member);
                up.multiply(tile, inputs, inputs.up, upsAt, member);
                Numbers gateTile = NativeBlock.floats(gatesAt, elements);
                Numbers upTile = NativeBlock.floats(upsAt, elements);
                int second = Lanes.roundUp(columns);
                float[] scratch = Scratch.floats(member, 2 * second);
                for (int row = 0; row < tiles.rows(tile); row++) {
                    int at = (tiles.row(tile) + row) * width + tiles.column(tile);
                    gateTile.get(row * columns, scratch, 0, columns, member);
                    upTile.get(row * columns, scratch, second, columns, member);
                    if (gates != null && ups != null) {
                        gates.put(at, scratch, 0, columns, member);
                        ups.put(at, scratch, second, columns, member);
                    }
                    SwiGluKernel.activationOfRow(scratch, second, columns);
                    y.put(at, scratch, 0, columns, member);
                }
            }
        });
    }

    /** A weight's products, by tile. */
    private final class Factor {
        private final Operand x = new Operand(type, false, hidden);
        private final Operand weight;
        private final Product[] products = new Product[tiles.count()];
        /** For the second part of x. */
        private final Product[] additions = new Product[tiles.count()];

        Factor(Type weightType) {
            weight = new Operand(weightType, true, hidden);
            for (int tile = 0; tile < products.length; tile++) {
                int columns = tiles.columns(tile);
                Operand result = new Operand(Type.F32, false, columns);
                Shape shape = new Shape(tiles.rows(tile), hidden, columns, x, weight, result, Sum.NOTHING);
                products[tile] = Product.of(shape);
                additions[tile] = wide ? Product.of(shape.with(Sum.RESULT)) : products[tile];
            }
        }

        void multiply(int tile, Inputs inputs, long weightAt, long result, int member) {
            long offset = x.offset(tiles.row(tile), 0);
            long right = weightAt + weight.offset(0, tiles.column(tile));
            products[tile].run(member, inputs.x + offset, right, result, 0);
            if (wide) {
                additions[tile].run(member, inputs.low + offset, right, result, 0);
            }
        }
    }
}
