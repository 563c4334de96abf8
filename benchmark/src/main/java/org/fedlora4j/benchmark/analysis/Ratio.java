package org.fedlora4j.benchmark.analysis;

import org.jspecify.annotations.Nullable;

/**
 * How many times as much one thing moved as another.
 *
 * @param value none where that other thing did not move
 * @param undefined why there is no value; empty where there is one
 */
public record Ratio(@Nullable Double value, String undefined) {
    public Ratio {
        if ((value == null) == undefined.isEmpty()) {
            throw new IllegalArgumentException("value " + value + ", undefined '" + undefined + "'; wanted one");
        }
    }

    static Ratio of(double numerator, double denominator) {
        return new Ratio(numerator / denominator, "");
    }

    static Ratio undefined(String reason) {
        return new Ratio(null, reason);
    }
}
