package org.fedlora4j.federation;

import java.util.Arrays;
import java.util.Set;
import org.fedlora4j.common.BadInputException;

/**
 * What of an adapter a phase trains or shares: one of the four parts of its decomposition, or a whole matrix. A matrix
 * and its own parts are never in one set.
 */
public enum Part {
    /** A [r, in]. */
    A("A"),
    /** B [out, r]. */
    B("B"),
    /** The unit rows (or columns) of A, [r, in]. */
    A_DIRECTION("A.direction"),
    /** Their lengths, [r, 1] (or [1, in]). */
    A_MAGNITUDE("A.magnitude"),
    /** The unit rows (or columns) of B, [out, r]. */
    B_DIRECTION("B.direction"),
    /** Their lengths, [out, 1] (or [1, r]). */
    B_MAGNITUDE("B.magnitude");

    private final String text;

    Part(String text) {
        this.text = text;
    }

    /** The part of this name, such as {@code A.direction}. */
    public static Part named(String text) {
        for (Part part : values()) {
            if (part.text.equals(text)) {
                return part;
            }
        }
        throw new BadInputException("'" + text + "', wanted one of " + Arrays.toString(values()));
    }

    public boolean isMatrix() {
        return this == A || this == B;
    }

    public boolean isDirection() {
        return this == A_DIRECTION || this == B_DIRECTION;
    }

    public boolean isMagnitude() {
        return this == A_MAGNITUDE || this == B_MAGNITUDE;
    }

    /** Whether the two are the same, or one is the matrix that the other is a part of. */
    public boolean overlaps(Part other) {
        return this == other || (matrix() == other.matrix() && (isMatrix() || other.isMatrix()));
    }

    /** Whether any of the parts {@link #overlaps} this one. */
    public boolean overlapsAny(Set<Part> parts) {
        return parts.stream().anyMatch(this::overlaps);
    }

    /** The magnitude of the matrix that this is or is a part of. */
    Part magnitude() {
        return matrix() == A ? A_MAGNITUDE : B_MAGNITUDE;
    }

    private Part matrix() {
        return text.startsWith("A") ? A : B;
    }

    /** The name as in recipes. */
    @Override
    public String toString() {
        return text;
    }
}
