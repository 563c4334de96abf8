package org.fedlora4j.model.nn;

import org.fedlora4j.model.exec.FusedScope;
import org.fedlora4j.model.exec.Kernel;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The gated feed-forward block, down(swish(gate(x)) · up(x)) (Shazeer, arXiv 2002.05202). */
public record SwiGlu(Projection gate, Projection up, Projection down) {
    /** x [N, D] to [N, D]; inside, rows are F wide. */
    public SDVariable apply(SameDiff graph, SDVariable x) {
        SDVariable gated = gate.apply(graph, x); // [N, F]
        SDVariable linear = up.apply(graph, x); // [N, F]
        SDVariable activated;
        try (FusedScope fused = new FusedScope(graph, Kernel.SWIGLU)) {
            SDVariable g = fused.input(gated);
            // Not the swish op: its derivative overflows to NaN beyond 44, which real gates reach.
            activated = fused.output(g.mul(graph.nn.sigmoid(g)).mul(fused.input(linear)));
        }
        return down.apply(graph, activated);
    }
}
