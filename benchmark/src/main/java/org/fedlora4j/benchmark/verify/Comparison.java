package org.fedlora4j.benchmark.verify;

/**
 * How far a tensor is from its reference.
 *
 * @param name the reference's key
 * @param absolute the largest absolute difference; infinite where one of the two is no number
 * @param ofLargest the same, divided by the reference's largest absolute value
 */
public record Comparison(String name, double absolute, double ofLargest) {
    /** A comparison in the making, some elements at a time. */
    static final class Running {
        private double absolute;
        private double largest;

        /** Compares all of {@code found} with as many of {@code wanted}, from {@code begin} on. */
        void add(float[] found, float[] wanted, int begin) {
            for (int i = 0; i < found.length; i++) {
                double difference = Math.abs((double) found[i] - wanted[begin + i]);
                absolute = Math.max(absolute, Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference);
                largest = Math.max(largest, Math.abs(wanted[begin + i]));
            }
        }

        Comparison named(String name) {
            return new Comparison(name, absolute, absolute == 0 ? 0 : absolute / largest);
        }
    }

    /** How much of its tolerance it takes: it is within it if at most 1, which what is no number never is. */
    public double ofTolerance(Tolerance tolerance) {
        return ofLargest == 0 ? 0 : ofLargest / tolerance.of(this);
    }
}
