package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;

import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Products of a few rows with frozen matrices, y = x·Wᵀ. Generating a token is reading all weights once; so each is read
 * once for all rows of x, in tiles of four rows that stay in the first cache level.
 */
public final class ProductKernel {
    /** Rows of a matrix that are read together. */
    private static final int TILE = 4;

    private ProductKernel() {}

    /**
     * Multiplies the same rows with several matrices of the same width.
     *
     * @param x [count, columns]
     * @param y for each matrix [count, its rows], overwritten
     */
    public static void run(float[] x, int count, List<WeightMatrix> weights, List<float[]> y) {
        int[] tiles = new int[weights.size() + 1];
        float[][] arranged = new float[weights.size()][];
        for (int i = 0; i < arranged.length; i++) {
            WeightMatrix matrix = weights.get(i);
            tiles[i + 1] = tiles[i] + (matrix.rows() + TILE - 1) / TILE;
            boolean same = i > 0 && weights.get(i - 1).type() == matrix.type();
            arranged[i] = same ? arranged[i - 1] : matrix.arranged(x, count);
        }
        Team.run(tiles[arranged.length], 1, (from, to, member) -> {
            for (int i = 0; i < arranged.length; i++) {
                for (int tile = Math.max(from, tiles[i]); tile < Math.min(to, tiles[i + 1]); tile++) {
                    multiply(arranged[i], count, weights.get(i), (tile - tiles[i]) * TILE, y.get(i), member);
                }
            }
        });
    }

    /** A tile's columns of y. */
    private static void multiply(float[] x, int count, WeightMatrix matrix, int row, float[] y, int member) {
        int rows = Math.min(TILE, matrix.rows() - row);
        int stride = matrix.stride();
        float[] scratch = Scratch.floats(member, TILE * (stride + 2) + LENGTH);
        short[] halves = Scratch.shorts(member, TILE * stride);
        int sums = TILE * stride;
        boolean fused = count == 1 && matrix.type() == Product.Type.BF16;
        if (fused) {
            matrix.readHalves(row, rows, halves);
        } else {
            matrix.read(row, rows, scratch, halves);
        }
        if (fused) {
            dotsOfBf16Row(halves, stride, x, scratch, sums);
            System.arraycopy(scratch, sums, y, row, rows);
            return;
        }
        for (int i = 0; i < count; i += 2) {
            // The last row of an odd number is its own other.
            int other = Math.min(i + 1, count - 1);
            dotsOfRow(scratch, stride, x, i * stride, other * stride, sums);
            System.arraycopy(scratch, sums, y, i * matrix.rows() + row, rows);
            System.arraycopy(scratch, sums + TILE, y, other * matrix.rows() + row, rows);
        }
    }

    /** The products of a tile's rows, at the scratch's beginning, with two rows of x; to {@code scratch[sums]}. */
    private static void dotsOfRow(float[] scratch, int stride, float[] x, int first, int second, int sums) {
        int spare = sums + 2 * TILE;
        FloatVector a = FloatVector.zero(FLOATS);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        FloatVector e = a;
        FloatVector f = a;
        FloatVector g = a;
        FloatVector h = a;
        for (int i = 0; i < stride; i += LENGTH) {
            FloatVector x1 = load(x, first + i);
            FloatVector x2 = load(x, second + i);
            FloatVector w = load(scratch, i);
            a = w.fma(x1, a);
            e = w.fma(x2, e);
            w = load(scratch, i + stride);
            b = w.fma(x1, b);
            f = w.fma(x2, f);
            w = load(scratch, i + 2 * stride);
            c = w.fma(x1, c);
            g = w.fma(x2, g);
            w = load(scratch, i + 3 * stride);
            d = w.fma(x1, d);
            h = w.fma(x2, h);
        }
        scratch[sums] = Lanes.sum(a, scratch, spare);
        scratch[sums + 1] = Lanes.sum(b, scratch, spare);
        scratch[sums + 2] = Lanes.sum(c, scratch, spare);
        scratch[sums + 3] = Lanes.sum(d, scratch, spare);
        scratch[sums + TILE] = Lanes.sum(e, scratch, spare);
        scratch[sums + TILE + 1] = Lanes.sum(f, scratch, spare);
        scratch[sums + TILE + 2] = Lanes.sum(g, scratch, spare);
        scratch[sums + TILE + 3] = Lanes.sum(h, scratch, spare);
    }

    /** The same, straight from bfloat16s, for a single row of x: there is no other to widen them for. */
    private static void dotsOfBf16Row(short[] halves, int stride, float[] x, float[] scratch, int sums) {
        int spare = sums + 2 * TILE;
        FloatVector a = FloatVector.zero(FLOATS);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        for (int i = 0; i < stride; i += WeightMatrix.STEP) {
            FloatVector even = load(x, i);
            FloatVector odd = load(x, i + LENGTH);
            IntVector pairsA = WeightMatrix.pairs(halves, i);
            IntVector pairsB = WeightMatrix.pairs(halves, i + stride);
            IntVector pairsC = WeightMatrix.pairs(halves, i + 2 * stride);
            IntVector pairsD = WeightMatrix.pairs(halves, i + 3 * stride);
            a = WeightMatrix.oddBf16(pairsA)
                    .fma(odd, WeightMatrix.evenBf16(pairsA).fma(even, a));
            b = WeightMatrix.oddBf16(pairsB)
                    .fma(odd, WeightMatrix.evenBf16(pairsB).fma(even, b));
            c = WeightMatrix.oddBf16(pairsC)
                    .fma(odd, WeightMatrix.evenBf16(pairsC).fma(even, c));
            d = WeightMatrix.oddBf16(pairsD)
                    .fma(odd, WeightMatrix.evenBf16(pairsD).fma(even, d));
        }
        scratch[sums] = Lanes.sum(a, scratch, spare);
        scratch[sums + 1] = Lanes.sum(b, scratch, spare);
        scratch[sums + 2] = Lanes.sum(c, scratch, spare);
        scratch[sums + 3] = Lanes.sum(d, scratch, spare);
    }
}
