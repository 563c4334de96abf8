package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;

class AdapterStateTest {
    private static final String QUERY = "model.layers.0.self_attn.q_proj";
    private static final Map<String, ModuleShape> SHAPES = Map.of(QUERY, new ModuleShape(400, 100));

    @Test
    void startsAsPeftDoes() {
        LoraPair pair =
                AdapterState.initial(LoraConfig.of(50, 8, "q_proj"), SHAPES, 1).pair(QUERY);

        assertThat(pair.b()).isEqualTo(Matrix.zeros(100, 50));
        assertThat(pair.a().rows()).isEqualTo(50);
        assertThat(pair.a().columns()).isEqualTo(400);
        double bound = 1 / Math.sqrt(400);
        double sum = 0;
        double squares = 0;
        float largest = 0;
        for (float value : pair.a().values()) {
            sum += value;
            squares += (double) value * value;
            largest = Math.max(largest, Math.abs(value));
        }
        // 20,000 uniform draws: the mean's standard deviation is 2e-4, the variance's 5e-6
        assertThat(sum / 20_000).isCloseTo(0, within(1e-3));
        assertThat(squares / 20_000).isCloseTo(bound * bound / 3, within(3e-5));
        assertThat((double) largest).isBetween(0.999 * bound, bound);
    }

    @Test
    void theSeedDecides() {
        LoraConfig config = LoraConfig.of(4, 8, "q_proj");
        assertThat(AdapterState.initial(config, SHAPES, 1)).isEqualTo(AdapterState.initial(config, SHAPES, 1));
        assertThat(AdapterState.initial(config, SHAPES, 1)).isNotEqualTo(AdapterState.initial(config, SHAPES, 2));
    }

    @Test
    void cutToARankByHand() {
        LoraPair pair = new LoraPair(Matrix.of(3, 2, 1, 2, 3, 4, 5, 6), Matrix.of(2, 3, 1, 2, 3, 4, 5, 6));
        LoraPair before = new LoraPair(pair.a().copy(), pair.b().copy());
        AdapterState state = new AdapterState(LoraConfig.of(3, 6, "q_proj"), new TreeMap<>(Map.of(QUERY, pair)));

        assertThat(state.cutTo(2).pair(QUERY))
                .isEqualTo(new LoraPair(Matrix.of(3, 2, 1, 2, 3, 4, 0, 0), Matrix.of(2, 3, 1, 2, 0, 4, 5, 0)));
        assertThat(state.cutTo(1).pair(QUERY))
                .isEqualTo(new LoraPair(Matrix.of(3, 2, 1, 2, 0, 0, 0, 0), Matrix.of(2, 3, 1, 0, 0, 4, 0, 0)));
        assertThat(state.cutTo(3)).isEqualTo(state);
        assertThat(state.cutTo(4)).isEqualTo(state);
        assertThat(pair).as("what was cut").isEqualTo(before);
    }

    @Test
    void refusesARankBeyondTheWeight() {
        assertThatThrownBy(() -> AdapterState.initial(LoraConfig.of(101, 8, "q_proj"), SHAPES, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("rank 101 of " + QUERY);
    }

    @Test
    void refusesAPatternThatMatchesNothing() {
        LoraConfig config = new LoraConfig(4, 8, Set.of("q_proj"), 0, false, Map.of("k_proj", 2), Map.of());
        assertThatThrownBy(() -> AdapterState.initial(config, SHAPES, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("'k_proj' matches no adapted module");
    }

    @Test
    void refusesMatricesOfAnotherRank() {
        LoraPair pair = new LoraPair(Matrix.zeros(3, 5), Matrix.zeros(5, 3));
        TreeMap<String, LoraPair> modules = new TreeMap<>(Map.of(QUERY, pair));
        assertThatThrownBy(() -> new AdapterState(LoraConfig.of(4, 8, "q_proj"), modules))
                .hasMessageContaining("rank 3, the settings say 4");
        assertThatThrownBy(() -> new LoraPair(Matrix.zeros(3, 5), Matrix.zeros(5, 4)))
                .hasMessageContaining("[3, 5] and B [5, 4]");
    }
}
