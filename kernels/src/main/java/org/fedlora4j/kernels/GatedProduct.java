package org.fedlora4j.kernels;

import java.util.function.Function;
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
    private final int width;
    /** Elements from the beginning of a tile's row to that of the next. */
    private final int stride;

    private final Factor gate;
    private final Factor up;

    /**
     * Products of such shapes.
     *
     * @param type of x, float32 or bfloat16
     * @param wide whether x comes in two parts, see {@link WideProduct}
     */
    public GatedProduct(int rows, int hidden, int width, Type type, Type gateType, Type upType, boolean wide) {
        this.width = width;
        tiles = Tiles.inCache(rows, hidden, width);
        stride = tiles.mostColumns();
        Operand x = new Operand(type, false, hidden);
        Operand result = new Operand(Type.F32, false, stride);
        Function<Type, Shape> shape =
                weight -> new Shape(rows, hidden, width, x, new Operand(weight, true, hidden), result, Sum.NOTHING);
        gate = new Factor(shape.apply(gateType), wide);
        up = new Factor(shape.apply(upType), wide);
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
                long elements = (long) tiles.rows(tile) * stride;
                long gatesAt = MEMORY[member].address(2 * elements * Float.BYTES);
                long upsAt = gatesAt + elements * Float.BYTES;
                gate.multiply(member, tile, inputs, inputs.gate, gatesAt);
                up.multiply(member, tile, inputs, inputs.up, upsAt);
                Numbers gateTile = NativeBlock.floats(gatesAt, elements);
                Numbers upTile = NativeBlock.floats(upsAt, elements);
                int second = Lanes.roundUp(columns);
                float[] scratch = Scratch.floats(member, 2 * second);
                for (int row = 0; row < tiles.rows(tile); row++) {
                    int at = (tiles.row(tile) + row) * width + tiles.column(tile);
                    gateTile.get(row * stride, scratch, 0, columns, member);
                    upTile.get(row * stride, scratch, second, columns, member);
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

    /** The product of x and one of the weights. */
    private final class Factor {
        private final TiledProduct product;
        /** With x's second part. */
        private final @Nullable TiledProduct addition;

        Factor(Shape shape, boolean wide) {
            product = new TiledProduct(shape, tiles);
            addition = wide ? new TiledProduct(shape.with(Sum.RESULT), tiles) : null;
        }

        void multiply(int member, int tile, Inputs inputs, long weight, long result) {
            product.run(member, tile, inputs.x, weight, result, 0);
            if (addition != null) {
                addition.run(member, tile, inputs.low, weight, result, 0);
            }
        }
    }
}
