package org.fedlora4j.benchmark.speed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class MeasurementTest {
    @Test
    void theMedianIsTheMiddleOrTheMeanOfBothInTheMiddle() {
        assertThat(Measurement.median(List.of(9.0, 1.0, 2.0))).isEqualTo(2);
        assertThat(Measurement.median(List.of(9.0, 1.0, 2.0, 4.0))).isEqualTo(3);
        assertThat(Measurement.median(List.of(7.0))).isEqualTo(7);
    }

    @Test
    void tokensPerSecondAreThoseOfTheMedianStep() {
        Measurement measurement =
                new Measurement(List.of(100.0, 250.0, 900.0), 50, 1, new TreeMap<>(), new TreeMap<>());
        assertThat(measurement.medianMillis()).isEqualTo(250);
        assertThat(measurement.tokensPerSecond()).isEqualTo(200);
    }

    @Test
    void survivesItsLineOfJson() throws IOException {
        Measurement measurement = new Measurement(
                List.of(1.5, 2.5), 128, 3_000_000_000L, new TreeMap<>(Map.of("firstLoss", 2.25)), new TreeMap<>());
        assertThat(measurement.toJson()).doesNotContain("\n").contains("\"medianMillis\":2.0");
        assertThat(Measurement.fromJson(measurement.toJson())).isEqualTo(measurement);
    }

    @Test
    void readsThePeersLine() {
        Measurement measurement = Measurement.fromJson("{\"millis\": [4.0], \"medianMillis\": 4.0, \"tokens\": 2,"
                + " \"tokensPerSecond\": 500.0, \"peakBytes\": 1024, \"values\": {\"firstLoss\": 1.5},"
                + " \"versions\": {\"torch\": \"2.15.0\"}}");
        assertThat(measurement)
                .isEqualTo(new Measurement(
                        List.of(4.0),
                        2,
                        1024,
                        new TreeMap<>(Map.of("firstLoss", 1.5)),
                        new TreeMap<>(Map.of("torch", "2.15.0"))));
        assertThatThrownBy(() -> Measurement.fromJson("{\"loss\": 1}")).hasMessage("not a measurement: {\"loss\": 1}");
    }

    @Test
    void timesTheStepsAfterTheWarmUp() {
        AtomicInteger steps = new AtomicInteger();
        assertThat(Measurement.time(0, 3, steps::incrementAndGet)).hasSize(3);
        assertThat(steps).hasValue(1 + 3);
    }
}
