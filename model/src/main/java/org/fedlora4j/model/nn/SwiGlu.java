package org.fedlora4j.model.nn;

import org.nd4j.autodiff.samediff.NameScope;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The gated feed-forward block, down(swish(gate(x)) · up(x)) (Shazeer, arXiv 2002.05202). */
public record SwiGlu(Projection gate, Projection up, Projection down) {
    /** x [N, D] to [N, D]; inside, rows are F wide. */
    public SDVariable apply(SameDiff graph, SDVariable x) {
        SDVariable gated = gate.apply(graph, x); // [N, F]
        SDVariable linear = up.apply(graph, x); // [N, F]
        SDVariable activated;
        try (NameScope named = graph.withNameScope("swiglu")) {
            // Not the swish op: its derivative overflows to NaN beyond 44, which real gates reach.
            activated = gated.mul(graph.nn.sigmoid(gated)).mul(linear);
        }
        return down.apply(graph, activated);
    }
}
