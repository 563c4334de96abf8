package org.fedlora4j.benchmark.analysis;

import java.util.Collection;
import org.fedlora4j.federation.Sensitivity;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/**
 * How far A and B of an adapter are from another's along one axis, with the ratios of FedLoRA-Optimizer's analysis
 * (arXiv 2510.11274, abstract).
 */
public record Movement(Sensitivity a, Sensitivity b) {
    /** Between tasks, the direction of A moves so many times as much as that of B, on LLaMA2-7B. */
    public static final double AUTHORS_DIRECTION = 1.7;

    /** Between tasks, the magnitude of B moves so many times as much as that of A, on LLaMA2-7B. */
    public static final int AUTHORS_MAGNITUDE = 41;

    /** Of 1 - cos: equal directions that were each rounded to float are 1e-7 radians apart at most, or 5e-15. */
    private static final double ROUNDED_DIRECTION = 1e-13;

    /** Relative to the magnitude: some 16 roundings of a float. */
    private static final double ROUNDED_MAGNITUDE = 1e-6;

    /** Of one module; relative to the magnitudes before. */
    static Movement between(LoraPair before, LoraPair after, MagnitudeAxis axis) {
        return new Movement(
                Sensitivity.between(before.a(), after.a(), axis), Sensitivity.between(before.b(), after.b(), axis));
    }

    /** Of one module of two adapters neither of which is before: relative is the mean of relative to either. */
    static Movement apart(LoraPair one, LoraPair other, MagnitudeAxis axis) {
        return new Movement(apart(one.a(), other.a(), axis), apart(one.b(), other.b(), axis));
    }

    private static Sensitivity apart(Matrix one, Matrix other, MagnitudeAxis axis) {
        Sensitivity there = Sensitivity.between(one, other, axis);
        Sensitivity back = Sensitivity.between(other, one, axis);
        double relative = (there.relativeMagnitude() + back.relativeMagnitude()) / 2;
        return new Sensitivity(there.magnitude(), relative, there.direction(), there.vectors());
    }

    /** The means over all vectors of several modules. */
    static Movement over(Collection<Movement> modules) {
        return new Movement(
                Sensitivity.over(modules.stream().map(Movement::a).toList()),
                Sensitivity.over(modules.stream().map(Movement::b).toList()));
    }

    /** A's change of direction to B's; the authors found {@link #AUTHORS_DIRECTION}. */
    public Ratio direction() {
        if (hasNothingToCompare()) {
            return nothingToCompare();
        }
        return b.direction() <= ROUNDED_DIRECTION
                ? Ratio.undefined("B's directions did not move")
                : Ratio.of(a.direction(), b.direction());
    }

    /** B's change of magnitude to A's; the authors found {@link #AUTHORS_MAGNITUDE}. */
    public Ratio magnitude() {
        return ofMagnitudes(b.magnitude(), a.magnitude());
    }

    /** B's change of magnitude to A's, each relative to the magnitude. */
    public Ratio relativeMagnitude() {
        return ofMagnitudes(b.relativeMagnitude(), a.relativeMagnitude());
    }

    private Ratio ofMagnitudes(double ofB, double ofA) {
        if (hasNothingToCompare()) {
            return nothingToCompare();
        }
        return a.relativeMagnitude() <= ROUNDED_MAGNITUDE
                ? Ratio.undefined("A's magnitudes did not move")
                : Ratio.of(ofB, ofA);
    }

    private boolean hasNothingToCompare() {
        return a.vectors() == 0 || b.vectors() == 0;
    }

    private Ratio nothingToCompare() {
        return Ratio.undefined((a.vectors() == 0 ? "A" : "B") + " is zero in one of the adapters: no direction");
    }
}
