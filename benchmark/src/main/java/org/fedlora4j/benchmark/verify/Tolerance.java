package org.fedlora4j.benchmark.verify;

import java.util.Locale;
import org.fedlora4j.model.exec.Precision;

/**
 * The largest {@link Comparison#ofLargest} that rounding explains.
 *
 * @param outputs of logits, losses and hidden states
 * @param gradients of gradients
 */
public record Tolerance(double outputs, double gradients) {
    private static final Tolerance F32 = new Tolerance(4e-4, 4e-4);

    /** What SmolLM2 differs by in PyTorch if all is in bf16: 4.6e-2 and 2.5e-1. In ours it is less than half of that. */
    private static final Tolerance BF16 = new Tolerance(5e-2, 2.5e-1);

    /** The default for a precision; in f16, whose rounding is finer, bf16's. */
    public static Tolerance of(Precision precision) {
        return precision == Precision.F32 ? F32 : BF16;
    }

    /** The tolerance for a tensor. */
    public double of(Comparison comparison) {
        return comparison.name().contains(ReferenceFile.GRADIENT) ? gradients : outputs;
    }

    /** Such as {@code 4.0e-04}, or {@code 5.0e-02, gradients within 2.5e-01}. */
    @Override
    public String toString() {
        String outputs = String.format(Locale.ROOT, "%.1e", this.outputs);
        return outputs
                + (gradients == this.outputs ? "" : String.format(Locale.ROOT, ", gradients within %.1e", gradients));
    }
}
