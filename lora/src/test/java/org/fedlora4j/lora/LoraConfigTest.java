package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;

class LoraConfigTest {
    private static final String QUERY = "model.layers.0.self_attn.q_proj";

    @Test
    void namesModulesInGraphOrder() {
        assertThat(LoraConfig.of(8, 16, "down_proj", "q_proj").modules(2))
                .containsExactly(
                        "model.layers.0.self_attn.q_proj",
                        "model.layers.0.mlp.down_proj",
                        "model.layers.1.self_attn.q_proj",
                        "model.layers.1.mlp.down_proj");
    }

    @Test
    void scales() {
        assertThat(LoraConfig.of(4, 8, "q_proj").scale(QUERY)).isEqualTo(2);
        assertThat(new LoraConfig(4, 8, Set.of("q_proj"), 0, true, Map.of(), Map.of()).scale(QUERY))
                .isEqualTo(4);
    }

    @Test
    void matchesPatternsAtTheEndOfAPath() {
        LoraConfig config = patterns(Map.of("layers.1.mlp.down_proj", 6, "q_proj", 2, "proj", 99, "layers.0", 98));

        assertThat(config.rank(QUERY)).isEqualTo(2);
        assertThat(config.rank("model.layers.1.mlp.down_proj")).isEqualTo(6);
        assertThat(config.rank("model.layers.11.mlp.down_proj")).isEqualTo(4);
        assertThat(config.rank("model.layers.0.mlp.down_proj")).isEqualTo(4);
    }

    @Test
    void patternsAreRegularExpressions() {
        LoraConfig config = patterns(Map.of("layers\\.[02]\\..*|v_proj", 2));

        assertThat(config.rank(QUERY)).isEqualTo(2);
        assertThat(config.rank("model.layers.1.self_attn.q_proj")).isEqualTo(4);
        assertThat(config.rank("model.layers.1.self_attn.v_proj")).isEqualTo(2);
    }

    @Test
    void theFirstPatternThatMatchesHolds() {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        ranks.put("q_proj", 2);
        ranks.put("layers.0.self_attn.q_proj", 3);

        assertThat(patterns(ranks).rank(QUERY)).isEqualTo(2);
    }

    @Test
    void aPatternThatTakesForeverIsRefused() {
        assertRefused(
                () -> patterns(Map.of("(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)!", 2)).rank(QUERY), "takes too long to match");
    }

    @Test
    void alphaPatternsMoveTheScale() {
        LoraConfig config =
                new LoraConfig(4, 8, Set.of("q_proj"), 0, false, Map.of("q_proj", 2), Map.of("q_proj", 3.0));
        assertThat(config.scale(QUERY)).isEqualTo(1.5);
    }

    @Test
    void refusesByName() {
        assertRefused(() -> LoraConfig.of(0, 8, "q_proj"), "lora.rank: 0");
        assertRefused(() -> LoraConfig.of(4, Double.NaN, "q_proj"), "lora.alpha: NaN");
        assertRefused(() -> LoraConfig.of(4, 8), "lora.targets: empty");
        assertRefused(() -> LoraConfig.of(4, 8, "query"), "lora.targets: 'query'");
        assertRefused(() -> new LoraConfig(4, 8, Set.of("q_proj"), 1, false, Map.of(), Map.of()), "lora.dropout: 1.0");
        assertRefused(() -> patterns(Map.of("q_proj", 0)), "lora.rankPattern.q_proj: 0");
        assertRefused(() -> patterns(Map.of("(", 2)), "the pattern '(' is not a regular expression");
    }

    private static LoraConfig patterns(Map<String, Integer> ranks) {
        return new LoraConfig(4, 8, Set.of("q_proj"), 0, false, ranks, Map.of());
    }

    private static void assertRefused(Runnable action, String message) {
        assertThatThrownBy(action::run).isInstanceOf(BadInputException.class).hasMessageContaining(message);
    }
}
