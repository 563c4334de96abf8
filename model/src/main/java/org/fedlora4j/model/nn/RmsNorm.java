package org.fedlora4j.model.nn;

import org.nd4j.autodiff.samediff.NameScope;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Root mean square norm, y = w · x / sqrt(mean(x²) + ε) (Zhang and Sennrich, arXiv 1910.07467). */
public final class RmsNorm {
    private RmsNorm() {}

    /**
     * The norm of each row, in a scope of its own.
     *
     * @param x [N, D]
     * @param weight [D]
     * @return [N, D]
     */
    public static SDVariable apply(SameDiff graph, String scope, SDVariable x, SDVariable weight, double epsilon) {
        try (NameScope named = graph.withNameScope(scope)) {
            SDVariable meanSquare = x.mul(x).mean(true, -1); // [N, 1]
            return x.mul(graph.math.rsqrt(meanSquare.add(epsilon))).mul(weight);
        }
    }
}
