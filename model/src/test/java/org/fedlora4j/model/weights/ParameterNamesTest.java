package org.fedlora4j.model.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.fedlora4j.model.weights.ParameterNames.Role;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ParameterNamesTest {
    private static LlamaConfig config(boolean tied) {
        return new LlamaConfig(101, 40, 72, 12, 4, 2, 16, 1e-6, 1e4, new RopeScaling.None(), tied, 256);
    }

    @Test
    void namesAndParametersAreOneToOne() {
        List<Parameter> parameters = ParameterNames.of(config(false)).toList();
        assertThat(parameters).hasSize(12 * 9 + 3).doesNotHaveDuplicates();
        for (Parameter parameter : parameters) {
            assertThat(ParameterNames.parse(parameter.name())).isEqualTo(parameter);
        }
        assertThat(ParameterNames.name(11, Role.OUTPUT)).isEqualTo("model.layers.11.self_attn.o_proj.weight");
        assertThat(ParameterNames.name(Role.FINAL_NORM)).isEqualTo("model.norm.weight");
    }

    @Test
    void aTiedModelHasNoHead() {
        assertThat(ParameterNames.of(config(true)).map(Parameter::role)).doesNotContain(Role.HEAD);
    }

    @Test
    void shapesAreOutByIn() {
        assertThat(Role.QUERY.shape(config(false))).containsExactly(64, 40);
        assertThat(Role.KEY.shape(config(false))).containsExactly(32, 40);
        assertThat(Role.OUTPUT.shape(config(false))).containsExactly(40, 64);
        assertThat(Role.UP.shape(config(false))).containsExactly(72, 40);
        assertThat(Role.DOWN.shape(config(false))).containsExactly(40, 72);
        assertThat(Role.HEAD.shape(config(false))).containsExactly(101, 40);
        assertThat(Role.INPUT_NORM.shape(config(false))).containsExactly(40);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "model.layers.0.self_attn.q_proj",
                "model.layers.00.self_attn.q_proj.weight",
                "model.layers.-1.self_attn.q_proj.weight",
                "model.layers.99999999999.self_attn.q_proj.weight",
                "model.layers.0.lm_head.weight",
                "self_attn.q_proj.weight",
                "model.layers.0.self_attn.q_proj.bias",
            })
    void unknownNamesFail(String name) {
        assertThatThrownBy(() -> ParameterNames.parse(name))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(name + ": no LLaMA model");
    }

    @Test
    void onlyRotaryBuffersAreIgnored() {
        assertThat(ParameterNames.isIgnored("model.layers.3.self_attn.rotary_emb.inv_freq"))
                .isTrue();
        assertThat(ParameterNames.isIgnored("model.rotary_emb.inv_freq")).isTrue();
        assertThat(ParameterNames.isIgnored("model.layers.3.self_attn.q_proj.weight"))
                .isFalse();
        assertThat(ParameterNames.isIgnored("inv_freq")).isFalse();
    }
}
