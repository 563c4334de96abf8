package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.Set;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PrivatePartsTest {
    private static final long SEED = 6;

    @Test
    void nothingPrivateIsTheSharedModel() {
        SharedParts shared = Adapters.single(0.5f, -2);
        assertThat(PrivateParts.none(MagnitudeStep.MULTIPLICATIVE).applyTo(shared))
                .isEqualTo(shared.adapter());
    }

    /** B's magnitudes 0.5 and 2 become 1 and 1: factors 2 and 1/2, which then act on 3 and 4. */
    @Test
    void aFactorKeepsItsMeaningWhileTheSharedMagnitudesMove() {
        PrivateParts mine = PrivateParts.none(MagnitudeStep.MULTIPLICATIVE)
                .updated(Adapters.single(0.5f, -2), Adapters.values(Part.B_MAGNITUDE, Matrix.of(2, 1, 1, 1)));

        assertThat(mine.values().of(Part.B_MAGNITUDE, Adapters.QUERY)).isEqualTo(Matrix.of(2, 1, 2, 0.5f));
        assertThat(b(mine.applyTo(Adapters.single(3, -4)))).isEqualTo(Matrix.of(2, 1, 6, -2));
    }

    @Test
    void aDifferenceIsAdded() {
        PrivateParts mine = PrivateParts.none(MagnitudeStep.ADDITIVE)
                .updated(Adapters.single(0.5f, -2), Adapters.values(Part.B_MAGNITUDE, Matrix.of(2, 1, 1, 1)));

        assertThat(mine.values().of(Part.B_MAGNITUDE, Adapters.QUERY)).isEqualTo(Matrix.of(2, 1, 0.5f, -1));
        assertThat(b(mine.applyTo(Adapters.single(3, -4)))).isEqualTo(Matrix.of(2, 1, 3.5f, -3));
    }

    @Test
    void aMagnitudeOfZeroHasFactorOne() {
        PrivateParts mine = PrivateParts.none(MagnitudeStep.MULTIPLICATIVE)
                .updated(Adapters.single(0, -2), Adapters.values(Part.B_MAGNITUDE, Matrix.of(2, 1, 0, 6)));

        assertThat(b(mine.applyTo(Adapters.single(7, -1)))).isEqualTo(Matrix.of(2, 1, 7, -3));
    }

    @Test
    void otherPartsAreKeptAsTheyAre() {
        Matrix own = Matrix.of(2, 1, 8, 9);
        PrivateParts mine = PrivateParts.none(MagnitudeStep.MULTIPLICATIVE)
                .updated(Adapters.single(0, 0), Adapters.values(Part.B, own));

        assertThat(b(mine.applyTo(Adapters.single(3, -4)))).isEqualTo(own);
        assertThat(mine.only(Set.of(Part.A)).values().parts()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void removingUndoesApplying(MagnitudeStep step) {
        SharedParts shared = Adapters.random(new Random(SEED), MagnitudeAxis.ROW);
        SharedParts other = Adapters.random(new Random(SEED + 1), MagnitudeAxis.ROW);
        PrivateParts mine = PrivateParts.none(step).updated(shared, other.values(Set.of(Part.B_MAGNITUDE)));
        SharedParts applied = new SharedParts(mine.applyTo(shared), MagnitudeAxis.ROW);

        for (Part part : Set.of(Part.A, Part.B, Part.B_DIRECTION, Part.B_MAGNITUDE)) {
            PartValues removed = mine.removeFrom(applied.values(Set.of(part)), MagnitudeAxis.ROW);
            shared.values(Set.of(part))
                    .of(part)
                    .forEach((module, value) -> assertThat(
                                    removed.of(part, module).values())
                            .as("%s of %s, seed %d", part, module, SEED)
                            .containsExactly(value.values(), within(1e-5f)));
        }
    }

    private static Matrix b(AdapterState adapter) {
        return adapter.pair(Adapters.QUERY).b();
    }
}
