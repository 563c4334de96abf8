package org.fedlora4j.benchmark.pictures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ScaleTest {
    @Test
    void linearStepsAreRound() {
        Scale scale = Scale.linear(0.43, 2.91);
        assertThat(scale.step()).isEqualTo(0.5);
        assertThat(scale.ticks()).containsExactly(0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0);
        assertThat(scale.format(2.5)).isEqualTo("2.5");
        assertThat(scale.share(0.75)).isEqualTo(0.25);
        // All the same: still a scale that holds it.
        Scale flat = Scale.linear(1, 1);
        assertThat(flat.least()).isLessThanOrEqualTo(1);
        assertThat(flat.most()).isCloseTo(1.1, within(1e-9));
        assertThat(flat.format(1.02)).isEqualTo("1.02");
    }

    @Test
    void logarithmicStepsArePowersOfTen() {
        Scale scale = Scale.logarithmic(0.004, 20);
        assertThat(scale.ticks()).containsExactly(0.001, 0.01, 0.1, 1.0, 10.0, 100.0);
        assertThat(scale.ticks())
                .extracting(scale::format)
                .containsExactly("1e-3", "1e-2", "1e-1", "1e0", "1e1", "1e2");
        // From 0.001 to 100 are five powers; 0.01 is after the first.
        assertThat(scale.share(0.01)).isCloseTo(0.2, within(1e-9));
        assertThat(Scale.logarithmic(0.1, 0.1).ticks()).containsExactly(0.1, 1.0);
    }
}
