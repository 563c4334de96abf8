package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SharedPartsTest {
    private static final long SEED = 5;

    @Test
    void partsAreThoseOfTheMatrices() {
        SharedParts shared = Adapters.single(0.5f, -2);
        PartValues values = shared.values(Set.of(Part.A_DIRECTION, Part.A_MAGNITUDE, Part.B));

        assertThat(values.of(Part.A_DIRECTION, Adapters.QUERY)).isEqualTo(Matrix.of(1, 2, 0.6f, 0.8f));
        assertThat(values.of(Part.A_MAGNITUDE, Adapters.QUERY)).isEqualTo(Matrix.of(1, 1, 5f));
        assertThat(values.of(Part.B, Adapters.QUERY)).isEqualTo(Matrix.of(2, 1, 0.5f, -2));
        assertThat(values.bytes(ClientData.FULL_RANK)).isEqualTo(4 * (2 + 1 + 2));
    }

    @Test
    void aNewDirectionLeavesAllElse() {
        SharedParts shared = Adapters.single(0.5f, -2);
        SharedParts turned = shared.with(Adapters.values(Part.A_DIRECTION, Matrix.of(1, 2, 0, -1)));

        assertThat(turned.adapter().pair(Adapters.QUERY).a()).isEqualTo(Matrix.of(1, 2, 0, -5));
        assertThat(turned.adapter().pair(Adapters.QUERY).b())
                .isEqualTo(shared.adapter().pair(Adapters.QUERY).b());
    }

    @ParameterizedTest
    @EnumSource
    void theFourPartsGiveTheAdapterBack(MagnitudeAxis axis) {
        SharedParts shared = Adapters.random(new Random(SEED), axis);
        EnumSet<Part> four = EnumSet.complementOf(EnumSet.of(Part.A, Part.B));
        SharedParts back = shared.with(shared.values(four));

        shared.adapter().modules().forEach((module, pair) -> {
            assertThat(back.adapter().pair(module).a().values())
                    .containsExactly(pair.a().values(), within(1e-6f));
            assertThat(back.adapter().pair(module).b().values())
                    .containsExactly(pair.b().values(), within(1e-6f));
        });
    }

    @ParameterizedTest
    @EnumSource
    void shapesAreThoseOfTheValues(MagnitudeAxis axis) {
        SharedParts shared = Adapters.random(new Random(SEED), axis);
        for (Part part : Part.values()) {
            shared.values(Set.of(part))
                    .forEach((place, value) ->
                            assertThat(shared.shape(part, place.module())).isEqualTo(value.shape()));
        }
    }

    @Test
    void anUntrainedAdapterHasMatricesButNoDirections() {
        SharedParts untrained = Adapters.single(0, 0);
        assertThat(untrained.values(Set.of(Part.A, Part.B)).of(Part.B, Adapters.QUERY))
                .isEqualTo(Matrix.zeros(2, 1));
        assertThatThrownBy(() -> untrained.values(Set.of(Part.A_DIRECTION)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("warm-up needed");
    }

    @Test
    void aMatrixAndItsPartExcludeEachOther() {
        PartValues whole = Adapters.values(Part.A, Matrix.zeros(1, 2));
        PartValues part = Adapters.values(Part.A_DIRECTION, Matrix.zeros(1, 2));
        assertThatThrownBy(() -> whole.with(part)).hasMessage("A overlaps A.direction");
    }
}
