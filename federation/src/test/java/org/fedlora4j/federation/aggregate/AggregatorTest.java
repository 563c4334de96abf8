package org.fedlora4j.federation.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AggregatorTest {
    private static final Matrix CURRENT = Matrix.of(2, 2, 0, 1, 0, 1);

    /** Three quarters and one: (3 * 1 + 5) / 4, (3 * 2 + 2) / 4, (3 * 3 - 1) / 4, (3 * 4 + 0) / 4. */
    @Test
    void theMeanWeighs() {
        Aggregator mean = new WeightedMean(CURRENT);
        mean.add(0.75, Matrix.of(2, 2, 1, 2, 3, 4));
        mean.add(0.25, Matrix.of(2, 2, 5, 2, -1, 0));

        assertThat(mean.aggregate()).isEqualTo(Matrix.of(2, 2, 2, 2, 2, 3));
        assertThat(mean.resultants()).isEmpty();
    }

    @Test
    void equalClientsAreOne() {
        Matrix value = Matrix.of(2, 2, 0.1f, -0.7f, 3e-8f, 12345.678f);
        Aggregator mean = new WeightedMean(CURRENT);
        for (int client = 0; client < 3; client++) {
            mean.add(1.0 / 3, value);
        }

        assertThat(mean.aggregate()).isEqualTo(value);
    }

    /** Row 0: a quarter circle, equal weights. Row 1: opposite, so the old direction stays. */
    @Test
    void directionsAreAveragedOnTheSphere() {
        float half = (float) Math.sqrt(0.5);
        for (DirectionMean mean : List.of(
                DirectionMean.arithmetic(CURRENT, MagnitudeAxis.ROW),
                DirectionMean.karcher(CURRENT, MagnitudeAxis.ROW))) {
            mean.add(0.5, Matrix.of(2, 2, 1, 0, 1, 0));
            mean.add(0.5, Matrix.of(2, 2, 0, 1, -1, 0));

            assertThat(mean.aggregate().values()).containsExactly(new float[] {half, half, 0, 1}, within(1e-7f));
            assertThat(mean.resultants()).containsExactly(Math.sqrt(0.5), 0);
        }
    }

    /** What is kept of the clients' values is their sum: it must be what the vectors' mean by themselves is, bit for bit. */
    @ParameterizedTest
    @EnumSource
    void columnsAreAveragedAsRowsAre(MagnitudeAxis axis) {
        Matrix first = Matrix.of(2, 2, 1, 0, 0.6f, 0.8f);
        Matrix second = Matrix.of(2, 2, 0, 1, 1, 0);
        double[] weights = {0.75, 0.25};
        for (boolean karcher : new boolean[] {false, true}) {
            DirectionMean mean = karcher
                    ? DirectionMean.karcher(along(CURRENT, axis), axis)
                    : DirectionMean.arithmetic(along(CURRENT, axis), axis);
            mean.add(weights[0], along(first, axis));
            mean.add(weights[1], along(second, axis));
            Matrix result = along(mean.aggregate(), axis);
            for (int row = 0; row < 2; row++) {
                List<double[]> points = List.of(
                        Vectors.get(first, row, MagnitudeAxis.ROW), Vectors.get(second, row, MagnitudeAxis.ROW));
                double[] old = Vectors.get(CURRENT, row, MagnitudeAxis.ROW);
                double[] wanted = karcher ? Sphere.karcher(points, weights, old) : Sphere.mean(points, weights, old);
                assertThat(result.row(row)).containsExactly((float) wanted[0], (float) wanted[1]);
                assertThat(mean.resultants()[row]).isEqualTo(Sphere.resultant(points, weights));
            }
        }
    }

    @Test
    void refusesNoWeight() {
        assertThatThrownBy(() -> new Contribution(0, CURRENT))
                .isInstanceOf(BadInputException.class)
                .hasMessage("weight: 0.0, wanted a number above 0");
    }

    private static Matrix along(Matrix rows, MagnitudeAxis axis) {
        return axis == MagnitudeAxis.ROW ? rows : rows.transpose();
    }
}
