package org.fedlora4j.model.nn;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * A linear map of rows, y = f(x): x [N, in] to y [N, out]. Attention and feed-forward receive their projections, so that
 * a frozen one and an adapted one interchange without the block knowing.
 */
@FunctionalInterface
public interface Projection {
    SDVariable apply(SameDiff graph, SDVariable x);

    /** y = x·Wᵀ with the frozen weight {@code weight} [out, in]. */
    static Projection frozen(SDVariable weight) {
        return (graph, x) -> graph.mmul(x, weight, false, true, false);
    }
}
