package org.fedlora4j.lora;

import org.fedlora4j.model.nn.Projection;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A frozen projection with a low-rank addition, y = x·W₀ᵀ + s·(x·Aᵀ)·Bᵀ (Hu et al., arXiv 2106.09685).
 *
 * @param a [r, in]
 * @param b [out, r]
 * @param scale s
 * @param dropout [N, in], multiplied into the addition's input as PEFT does; null for none
 */
record LoraProjection(
        Projection frozen,
        SDVariable a,
        SDVariable b,
        double scale,
        @Nullable SDVariable dropout) implements Projection {
    @Override
    public SDVariable apply(SameDiff graph, SDVariable x) {
        SDVariable input = dropout == null ? x : x.mul(dropout);
        SDVariable low = graph.mmul(input, a, false, true, false).mul(scale); // [N, r]
        return frozen.apply(graph, x).add(graph.mmul(low, b, false, true, false));
    }

    /**
     * A matrix from its magnitude and its direction: magnitude · D / ||D||, norms along the axis. D is free: only its
     * direction counts, so its gradient is tangent to the sphere.
     *
     * @param free D [rows, columns]
     * @param magnitude [rows, 1] or [1, columns]
     */
    static SDVariable compose(SameDiff graph, SDVariable free, SDVariable magnitude, MagnitudeAxis axis) {
        SDVariable squares = free.mul(free);
        long[] shape = free.getShape();
        // Sums as products with ones: ND4J's reductions fail on a dimension of size 1.
        SDVariable sums = axis == MagnitudeAxis.ROW
                ? graph.mmul(squares, graph.constant(Nd4j.ones(DataType.FLOAT, shape[1], 1)))
                : graph.mmul(graph.constant(Nd4j.ones(DataType.FLOAT, 1, shape[0])), squares);
        // Far below the square of any float that matters, so that a zero vector stays zero.
        return free.div(graph.math.sqrt(sums.add(1e-30))).mul(magnitude);
    }
}
