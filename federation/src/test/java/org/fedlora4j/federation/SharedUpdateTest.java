package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.api.Test;

class SharedUpdateTest {
    private static final SharedParts SHARED = Adapters.single(0.5f, -2);
    private static final Phase DIRECTION =
            Adapters.phase(Set.of(Part.A_DIRECTION, Part.B_MAGNITUDE), Set.of(Part.A_DIRECTION));

    @Test
    void holdsWhatThePhaseShares() {
        PartValues values = SHARED.values(Set.of(Part.A_DIRECTION));
        SharedUpdate update = new SharedUpdate("7", DIRECTION, 2, SHARED, 128, Map.of("loss", 1.5), values);

        assertThat(update.values()).isEqualTo(values);
        assertThat(update.values().bytes()).isEqualTo(8);
        assertThat(update.phase()).isEqualTo("phase");
        assertThat(update.metrics()).containsEntry("loss", 1.5);
    }

    @Test
    void refusesPartsThatThePhaseDoesNotShare() {
        assertRefused(SHARED.values(Set.of(Part.B_MAGNITUDE)), "parts [B.magnitude], wanted what the phase shares");
        assertRefused(SHARED.values(Set.of(Part.A_DIRECTION, Part.B_MAGNITUDE)), "parts [A.direction, B.magnitude]");
        assertRefused(PartValues.NONE, "parts []");
    }

    @Test
    void refusesWhatCannotBe() {
        assertRefused(direction(0.6f, Float.NaN), "not finite");
        assertRefused(direction(60, 80), "a vector of length 100.0, wanted 1");
        assertRefused(
                Adapters.values(Part.A_DIRECTION, Matrix.of(2, 1, 0.6f, 0.8f)),
                "A.direction of " + Adapters.QUERY + ": shape [2, 1], wanted [1, 2]");
        assertRefused(
                new PartValues(new TreeMap<>(Map.of(Part.A_DIRECTION, new TreeMap<>()))), "A.direction of modules []");
    }

    @Test
    void refusesAWeightOrMetricThatMeansNothing() {
        PartValues values = SHARED.values(Set.of(Part.A_DIRECTION));
        assertThatThrownBy(() -> new SharedUpdate("7", DIRECTION, 0, SHARED, 0, Map.of(), values))
                .hasMessageContaining("weight: 0");
        assertThatThrownBy(() -> new SharedUpdate("7", DIRECTION, 0, SHARED, 1, Map.of("loss", Double.NaN), values))
                .hasMessage("update of client 7 in phase phase: loss: NaN, wanted a finite number");
    }

    private static PartValues direction(float... values) {
        return Adapters.values(Part.A_DIRECTION, Matrix.of(1, 2, values));
    }

    private static void assertRefused(PartValues values, String message) {
        assertThatThrownBy(() -> new SharedUpdate("7", DIRECTION, 0, SHARED, 1, Map.of(), values))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("update of client 7 in phase phase: ")
                .hasMessageContaining(message);
    }
}
