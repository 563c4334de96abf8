package org.fedlora4j.federation;

import java.util.Set;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.Collectors;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.Decomposition;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/**
 * What one client keeps to itself from round to round. A private magnitude is kept relative to the shared one, so that
 * it keeps its meaning while the shared magnitudes move: as the factor {@code m_k / m}, or with additive steps as the
 * difference {@code m_k - m}. Any other private part is kept as it is.
 *
 * @param values factors or differences of magnitudes, values of other parts
 */
public record PrivateParts(MagnitudeStep step, PartValues values) {
    /** A client that has trained nothing of its own yet. */
    public static PrivateParts none(MagnitudeStep step) {
        return new PrivateParts(step, PartValues.NONE);
    }

    /** Only those of {@code parts}. */
    public PrivateParts only(Set<Part> parts) {
        return new PrivateParts(step, values.only(parts));
    }

    /** The client's own model: the shared parts with its private ones. */
    public AdapterState applyTo(SharedParts shared) {
        return absolute(shared).applyTo(shared.adapter(), shared.axis());
    }

    /**
     * With what the client has just trained and does not share, in place of what it had of these parts.
     *
     * @param shared the global model that the training started from
     */
    public PrivateParts updated(SharedParts shared, PartValues trained) {
        PartValues base = shared.values(magnitudes(trained));
        PartValues relative = trained.map((place, value) -> place.part().isMagnitude()
                ? combined(value, base.of(place.part(), place.module()), relative())
                : value);
        return new PrivateParts(step, values.with(relative));
    }

    /**
     * What a client may share after it trained with its private magnitudes applied: takes them out of B (or A) and of
     * its magnitude again. Where a factor is 0 there is nothing to divide by, and the trained value stays.
     */
    public PartValues removeFrom(PartValues trained, MagnitudeAxis axis) {
        return trained.map((place, value) -> {
            Part magnitude = place.part().magnitude();
            if (!values.parts().contains(magnitude)) {
                return value;
            }
            Matrix mine = values.of(magnitude, place.module());
            if (place.part().isMatrix()) {
                Decomposition.MagnitudeAndDirection parts = Decomposition.decompose(value, axis);
                return Decomposition.recompose(combined(parts.magnitude(), mine, undo()), parts.direction(), axis);
            }
            return place.part().isMagnitude() ? combined(value, mine, undo()) : value;
        });
    }

    private PartValues absolute(SharedParts shared) {
        PartValues base = shared.values(magnitudes(values));
        return values.map((place, value) ->
                place.part().isMagnitude() ? combined(base.of(place.part(), place.module()), value, apply()) : value);
    }

    private DoubleBinaryOperator apply() {
        return step == MagnitudeStep.MULTIPLICATIVE ? (shared, factor) -> shared * factor : Double::sum;
    }

    /** A magnitude of 0 has no factor: it stays 0 until the shared one grows, and then the client's is equal to it. */
    private DoubleBinaryOperator relative() {
        return step == MagnitudeStep.MULTIPLICATIVE
                ? (mine, shared) -> shared == 0 ? 1 : mine / shared
                : (mine, shared) -> mine - shared;
    }

    private DoubleBinaryOperator undo() {
        return step == MagnitudeStep.MULTIPLICATIVE
                ? (value, factor) -> factor == 0 ? value : value / factor
                : (value, difference) -> value - difference;
    }

    private static Set<Part> magnitudes(PartValues values) {
        return values.parts().stream().filter(Part::isMagnitude).collect(Collectors.toSet());
    }

    private static Matrix combined(Matrix left, Matrix right, DoubleBinaryOperator operator) {
        Matrix result = Matrix.zeros(left.rows(), left.columns());
        for (int i = 0; i < result.values().length; i++) {
            result.values()[i] = (float) operator.applyAsDouble(left.values()[i], right.values()[i]);
        }
        return result;
    }
}
