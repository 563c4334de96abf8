package org.fedlora4j.federation.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.junit.jupiter.api.Test;

class AggregatorTest {
    private static final Matrix CURRENT = Matrix.of(2, 2, 0, 1, 0, 1);

    @Test
    void theMeanWeighsByExamples() {
        List<Contribution> contributions = List.of(
                new Contribution(30, Matrix.of(2, 2, 1, 2, 3, 4)), new Contribution(10, Matrix.of(2, 2, 5, 2, -1, 0)));

        assertThat(new WeightedMean().aggregate(CURRENT, contributions)).isEqualTo(Matrix.of(2, 2, 2, 2, 2, 3));
    }

    @Test
    void equalClientsAreOne() {
        Matrix value = Matrix.of(2, 2, 0.1f, -0.7f, 3e-8f, 12345.678f);
        Contribution one = new Contribution(7, value);

        assertThat(new WeightedMean().aggregate(CURRENT, List.of(one, one, one)))
                .isEqualTo(value);
    }

    /** Row 0: a quarter circle, equal weights. Row 1: opposite, so the old direction stays. */
    @Test
    void directionsAreAveragedOnTheSphere() {
        List<Contribution> contributions = List.of(
                new Contribution(1, Matrix.of(2, 2, 1, 0, 1, 0)), new Contribution(1, Matrix.of(2, 2, 0, 1, -1, 0)));
        float half = (float) Math.sqrt(0.5);
        float[] wanted = {half, half, 0, 1};

        assertThat(DirectionMean.arithmetic(MagnitudeAxis.ROW)
                        .aggregate(CURRENT, contributions)
                        .values())
                .containsExactly(wanted, within(1e-7f));
        assertThat(DirectionMean.karcher(MagnitudeAxis.ROW)
                        .aggregate(CURRENT, contributions)
                        .values())
                .containsExactly(wanted, within(1e-7f));
        assertThat(DirectionMean.resultants(contributions, MagnitudeAxis.ROW)).containsExactly(Math.sqrt(0.5), 0);
    }

    @Test
    void columnsAreAveragedAsRowsAre() {
        List<Contribution> byRow = List.of(
                new Contribution(3, Matrix.of(2, 2, 1, 0, 0.6f, 0.8f)),
                new Contribution(1, Matrix.of(2, 2, 0, 1, 1, 0)));
        List<Contribution> byColumn = byRow.stream()
                .map(row -> new Contribution(row.weight(), row.value().transpose()))
                .toList();

        assertThat(DirectionMean.karcher(MagnitudeAxis.COLUMN).aggregate(CURRENT.transpose(), byColumn))
                .isEqualTo(DirectionMean.karcher(MagnitudeAxis.ROW)
                        .aggregate(CURRENT, byRow)
                        .transpose());
    }

    @Test
    void refusesNothingAndNoWeight() {
        assertThatThrownBy(() -> new WeightedMean().aggregate(CURRENT, List.of()))
                .hasMessage("nothing to aggregate");
        assertThatThrownBy(() -> new Contribution(0, CURRENT))
                .isInstanceOf(BadInputException.class)
                .hasMessage("weight: 0.0, wanted a number above 0");
    }
}
