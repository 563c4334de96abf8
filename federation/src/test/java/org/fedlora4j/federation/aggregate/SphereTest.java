package org.fedlora4j.federation.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class SphereTest {
    private static final Offset<Double> ROUNDING = within(1e-15);
    private static final double[] X = {1, 0, 0};
    private static final double[] Y = {0, 1, 0};
    private static final double[] HALF = {0.5, 0.5};
    private static final double[] OLD = {0, 0, 1};

    @Test
    void logIsAsLongAsTheArc() {
        assertThat(Sphere.log(X, Y)).containsExactly(new double[] {0, Math.PI / 2, 0}, ROUNDING);
        assertThat(Sphere.log(X, X)).containsExactly(0, 0, 0);
        assertThat(Sphere.angle(X, new double[] {-1, 0, 0})).isEqualTo(Math.PI);
    }

    @Test
    void expWalksTheArc() {
        double[] point = Sphere.exp(X, new double[] {0, Math.PI / 6, 0});
        assertThat(point).containsExactly(new double[] {Math.sqrt(3) / 2, 0.5, 0}, ROUNDING);
        assertThat(Sphere.exp(X, new double[3])).containsExactly(X);
    }

    @Test
    void projectTakesTheRadialPartAway() {
        assertThat(Sphere.project(X, new double[] {3, 4, 5})).containsExactly(0, 4, 5);
    }

    @Test
    void theMeanOfTwoLiesBetweenThem() {
        double half = Math.sqrt(0.5);
        assertThat(Sphere.mean(List.of(X, Y), HALF, OLD)).containsExactly(new double[] {half, half, 0}, ROUNDING);
        assertThat(Sphere.resultant(List.of(X, Y), HALF)).isEqualTo(half);
        assertThat(Sphere.resultant(List.of(X, X), HALF)).isEqualTo(1);
    }

    /** Three quarters of the way along a quarter circle; the arithmetic mean is at atan(3) = 71.6° instead. */
    @Test
    void theKarcherMeanOfTwoDividesTheArc() {
        double[] mean = Sphere.karcher(List.of(X, Y), new double[] {0.25, 0.75}, OLD);
        double angle = Math.toRadians(67.5);
        assertThat(mean).containsExactly(new double[] {Math.cos(angle), Math.sin(angle), 0}, within(1e-12));
    }

    @Test
    void oppositePointsKeepTheOldDirection() {
        List<double[]> opposite = List.of(X, new double[] {-1, 0, 0});
        assertThat(Sphere.mean(opposite, HALF, OLD)).containsExactly(OLD);
        assertThat(Sphere.karcher(opposite, HALF, OLD)).containsExactly(OLD);
    }
}
