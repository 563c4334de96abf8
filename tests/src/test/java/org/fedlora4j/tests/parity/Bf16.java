package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.LanguageModel.Settings;
import org.fedlora4j.model.exec.Precision;

/** bf16 where this machine computes in it. */
final class Bf16 {
    static final Settings SETTINGS = Settings.DEFAULT.withPrecision(Precision.BF16);

    private Bf16() {}

    /** Whether there is no bf16 here; then it must be refused with the reason for which {@code auto} is f32. */
    static boolean isRefused() {
        Precision.Choice fastest = Precision.choose("auto");
        if (fastest.precision() == Precision.BF16) {
            return false;
        }
        assertThatThrownBy(() -> Precision.choose("bf16"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(fastest.reason());
        return true;
    }
}
