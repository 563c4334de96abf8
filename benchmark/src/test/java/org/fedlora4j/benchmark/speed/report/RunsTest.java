package org.fedlora4j.benchmark.speed.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.fedlora4j.benchmark.speed.Measurement;
import org.junit.jupiter.api.Test;

class RunsTest {
    /** A measurement of one step of 100 tokens. */
    static Measurement measured(double millis, long peakBytes) {
        return new Measurement(
                List.of(millis), 100, peakBytes, new TreeMap<>(), new TreeMap<>(Map.of("torch", "2.15.0")));
    }

    private static Runs runs() {
        Runs runs = new Runs();
        double[] ours = {100, 400, 120};
        double[] peers = {200, 600, 180};
        for (int turn = 1; turn <= 3; turn++) {
            runs.add(new Runs.Run("1x128", "ours", turn, measured(ours[turn - 1], 10)));
            runs.add(new Runs.Run("1x128", "peer", turn, measured(peers[turn - 1], 20)));
        }
        return runs;
    }

    @Test
    void mediansAreOverTurns() {
        assertThat(runs().median("1x128", "ours", Measurement::medianMillis)).isEqualTo(120);
        assertThat(runs().median("1x128", "peer", Measurement::medianMillis)).isEqualTo(200);
    }

    /** A busy turn slows both: the ratio within it stays. */
    @Test
    void ratiosAreWithinTurns() {
        assertThat(runs().ratio("1x128", "peer", "ours", Measurement::medianMillis))
                .isEqualTo(new Runs.Ratio(1.5, 1.5, 2.0));
    }

    @Test
    void aTurnThatOneHasAloneIsNoRatio() {
        Runs runs = runs();
        runs.add(new Runs.Run("1x128", "peer", 4, measured(9_000, 20)));
        assertThat(runs.ratio("1x128", "peer", "ours", Measurement::medianMillis)
                        .most())
                .isEqualTo(2);
    }

    @Test
    void knowsWhatWasMeasured() {
        assertThat(runs().has("1x128", "ours")).isTrue();
        assertThat(runs().has("1x512", "ours")).isFalse();
        assertThat(runs().versions()).isEqualTo(Map.of("torch", "2.15.0"));
    }
}
