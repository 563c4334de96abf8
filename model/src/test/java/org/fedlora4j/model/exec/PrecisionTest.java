package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrecisionTest {
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void autoIsF32WithTheReason(boolean amx) {
        Precision.Choice choice = Precision.choose("auto", amx);
        assertThat(choice.precision()).isEqualTo(Precision.F32).hasToString("f32");
        assertThat(choice.reason()).contains(amx ? "so far" : "without AMX");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void bf16IsRefusedWithTheReason(boolean amx) {
        assertThatThrownBy(() -> Precision.choose("bf16", amx))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("bf16")
                .hasMessageContaining(amx ? "so far" : "without AMX");
        assertThat(Precision.choose("f32", amx).precision()).isEqualTo(Precision.F32);
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp8", "F32", ""})
    void otherSettingsAreRefusedByName(String setting) {
        assertThatThrownBy(() -> Precision.choose(setting))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("found " + setting + ",");
    }
}
