package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.api.Test;

class SharedUpdateTest {
    private static final long SEED = 8;
    private static final SharedParts SHARED = Adapters.single(0.5f, -2);
    private static final Phase DIRECTION =
            Adapters.phase(Set.of(Part.A_DIRECTION, Part.B_MAGNITUDE), Set.of(Part.A_DIRECTION));

    @Test
    void holdsWhatThePhaseShares() {
        PartValues values = SHARED.values(Set.of(Part.A_DIRECTION));
        SharedUpdate update = new SharedUpdate("7", DIRECTION, 2, SHARED, 128, Map.of("loss", 1.5), values);

        assertThat(update.values()).isEqualTo(values);
        assertThat(update.bytes()).isEqualTo(8);
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

    /** Rank 2 on q (4 to 3) and v (4 to 2): a component of A has 4 values, one of B 3 and 2. */
    @Test
    void holdsOnlyTheClientsComponents() {
        SharedParts shared = Adapters.random(new Random(SEED), MagnitudeAxis.ROW);
        Phase whole = Adapters.phase(Set.of(Part.A, Part.B), Set.of(Part.A, Part.B));
        PartValues both = shared.values(whole.share());
        PartValues first = shared.cutTo(1).values(whole.share());

        assertThat(new SharedUpdate("7", whole, 0, shared, 1, 1, Map.of(), first).bytes())
                .isEqualTo(4 * (2 * 4 + 3 + 2));
        assertThat(new SharedUpdate("7", whole, 0, shared, 2, 1, Map.of(), both).bytes())
                .isEqualTo(4 * 2 * (2 * 4 + 3 + 2));
        for (Part part : whole.share()) {
            PartValues tooMuch = first.with(both.only(Set.of(part)));
            Matrix value = both.of(part, Adapters.QUERY);
            assertThatThrownBy(() -> new SharedUpdate("7", whole, 0, shared, 1, 1, Map.of(), tooMuch))
                    .as("seed %d", SEED)
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("update of client 7 in phase phase: " + part + " of " + Adapters.QUERY + ": "
                            + (part == Part.A ? value.get(1, 0) : value.get(0, 1))
                            + " in component 2, wanted 0 beyond the client's rank, 1");
        }
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
