package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;

class AdamWTest {
    private static final AdamW.Settings SETTINGS = AdamW.Settings.of(0.1, 0.01);
    private static final List<Matrix> GRADIENTS =
            List.of(Matrix.of(1, 3, 0.1f, -3, 0), Matrix.of(1, 3, 0.2f, 1, 0), Matrix.of(1, 3, -0.4f, 2, 1e-3f));

    /** By hand: the first step is the gradient's sign times the learning rate, after the decay. */
    @Test
    void theFirstStepIsTheSign() {
        Matrix x = Matrix.of(1, 3, 1, -2, 0.5f);
        new AdamW(SETTINGS).step(Map.of("x", x), Map.of("x", GRADIENTS.get(0)));

        assertThat(x.values()).containsExactly(new float[] {0.899f, -1.898f, 0.4995f}, within(1e-6f));
    }

    /** Half the learning rate halves the decay too: 1 - 0.05 * 0.01, then 0.05 against the sign. */
    @Test
    void aStepMayHaveALearningRateOfItsOwn() {
        Matrix x = Matrix.of(1, 3, 1, -2, 0.5f);
        new AdamW(SETTINGS).step(Map.of("x", x), Map.of("x", GRADIENTS.get(0)), 0.5);

        assertThat(x.values()).containsExactly(new float[] {0.9495f, -1.949f, 0.49975f}, within(1e-6f));
    }

    @Test
    void followsTorch() {
        Matrix x = Matrix.of(1, 3, 1, -2, 0.5f);
        AdamW optimizer = new AdamW(SETTINGS);
        for (Matrix gradient : GRADIENTS) {
            optimizer.step(Map.of("x", x), Map.of("x", gradient));
        }

        // torch 2.15, float64: three steps of AdamW([x], lr=0.1, weight_decay=0.01)
        assertThat(x.values()).containsExactly(new float[] {0.820161f, -1.862254f, 0.434621f}, within(1e-6f));
    }

    @Test
    void goesOnFromASavedState() {
        Matrix straight = Matrix.of(1, 3, 1, -2, 0.5f);
        AdamW optimizer = new AdamW(SETTINGS);
        optimizer.step(Map.of("x", straight), Map.of("x", GRADIENTS.get(0)));
        Matrix resumed = straight.copy();
        AdamW.State state = optimizer.state();
        optimizer.step(Map.of("x", straight), Map.of("x", GRADIENTS.get(1)));
        new AdamW(SETTINGS, state).step(Map.of("x", resumed), Map.of("x", GRADIENTS.get(1)));

        assertThat(state.step()).isEqualTo(1);
        assertThat(resumed).isEqualTo(straight);
    }

    @Test
    void refusesWhatDoesNotFit() {
        AdamW optimizer = new AdamW(SETTINGS);
        Matrix x = Matrix.zeros(1, 3);
        assertThatThrownBy(() -> optimizer.step(Map.of("x", x), Map.of("y", x)))
                .hasMessage("gradients of [y], the parameters are [x]");
        assertThatThrownBy(() -> optimizer.step(Map.of("x", x), Map.of("x", Matrix.zeros(3, 1))))
                .hasMessage("x: gradient [3, 1], parameter [1, 3]");
        assertThatThrownBy(() -> AdamW.Settings.of(Double.NaN, 0))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("learning rate: NaN");
        assertThatThrownBy(() -> new AdamW.Settings(1, 0.9, 1, 1e-8, 0)).hasMessageContaining("beta2: 1.0");
    }
}
