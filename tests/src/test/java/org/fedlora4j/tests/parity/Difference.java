package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * How far values are from their reference.
 *
 * @param absolute the largest absolute difference
 * @param ofLargest the same, divided by the reference's largest absolute value
 * @param norm the difference's L2 norm, divided by the reference's
 */
record Difference(double absolute, double ofLargest, double norm) {
    static Difference between(float[] found, float[] wanted) {
        assertThat(found).hasSameSizeAs(wanted);
        double absolute = 0;
        double largest = 0;
        double squares = 0;
        double wantedSquares = 0;
        for (int i = 0; i < wanted.length; i++) {
            double difference = (double) found[i] - wanted[i];
            absolute = Math.max(absolute, Math.abs(difference)); // NaN if any is
            largest = Math.max(largest, Math.abs(wanted[i]));
            squares += difference * difference;
            wantedSquares += (double) wanted[i] * wanted[i];
        }
        assertThat(largest).as("largest value of the reference").isPositive();
        return new Difference(absolute, absolute / largest, Math.sqrt(squares / wantedSquares));
    }
}
