package org.fedlora4j.model.nn;

import org.fedlora4j.model.exec.FusedScope;
import org.fedlora4j.model.exec.Kernel;
import org.nd4j.autodiff.samediff.NameScope;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

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
        try (NameScope named = graph.withNameScope(scope);
                FusedScope fused = new FusedScope(graph, Kernel.RMS_NORM)) {
            SDVariable in = fused.input(x);
            SDVariable meanSquare = in.mul(in).mean(true, -1); // [N, 1]
            SDVariable scale = graph.math.rsqrt(meanSquare.add(fused.constant("epsilon", epsilon)));
            // A product with ones, not a broadcast: that op's gradient takes ten times as long as the norm itself.
            SDVariable ones = graph.constant(Nd4j.ones(DataType.FLOAT, 1, weight.getShape()[0]));
            return fused.output(in.mul(graph.mmul(scale, ones)).mul(fused.input(weight)));
        }
    }
}
