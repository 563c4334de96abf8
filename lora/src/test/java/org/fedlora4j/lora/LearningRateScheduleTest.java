package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class LearningRateScheduleTest {
    @Test
    void constantStays() {
        assertThat(factors(LearningRateSchedule.CONSTANT)).containsExactly(1, 1, 1, 1);
    }

    @Test
    void linearLosesAsMuchAStep() {
        assertThat(factors(LearningRateSchedule.LINEAR)).containsExactly(1, 0.75, 0.5, 0.25);
    }

    /** (1 + cos of 0, 45, 90 and 135 degrees) / 2. */
    @Test
    void cosineBeginsAndEndsFlat() {
        double side = Math.sqrt(0.5);
        assertThat(factors(LearningRateSchedule.COSINE))
                .containsExactly(new double[] {1, (1 + side) / 2, 0.5, (1 - side) / 2}, within(1e-12));
    }

    private static double[] factors(LearningRateSchedule schedule) {
        return LongStream.range(0, 4)
                .mapToDouble(step -> schedule.factor(step, 4))
                .toArray();
    }
}
