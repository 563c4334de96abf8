package org.fedlora4j.model.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path temporary;

    private LlamaConfig read(String json) throws IOException {
        return LlamaConfig.read(Files.writeString(temporary.resolve("config.json"), json));
    }

    /** A minimal configuration with one field more, or another. */
    private LlamaConfig with(String field, String value) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree("""
                        {"model_type": "llama", "vocab_size": 11, "hidden_size": 16, "intermediate_size": 24,
                         "num_hidden_layers": 2, "num_attention_heads": 4}
                        """);
        json.set(field, JSON.readTree(value));
        return read(json.toString());
    }

    @Test
    void readsTheClassicStyle() throws IOException {
        LlamaConfig config = read("""
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "vocab_size": 128,
                 "hidden_size": 64, "intermediate_size": 112, "num_hidden_layers": 3, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 500000, "tie_word_embeddings": true,
                 "max_position_embeddings": 256, "attention_bias": false, "torch_dtype": "bfloat16",
                 "rope_scaling": {"type": "linear", "factor": 4.0}}
                """);
        assertThat(config)
                .isEqualTo(new LlamaConfig(
                        128, 64, 112, 3, 4, 2, 16, 1e-6, 500_000, new RopeScaling.Linear(4), true, 256));
        assertThat(config.querySize()).isEqualTo(64);
        assertThat(config.keyValueSize()).isEqualTo(32);
    }

    @Test
    void readsRopeParameters() throws IOException {
        LlamaConfig config = with("rope_parameters", """
                {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                 "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
                """);
        assertThat(config.ropeTheta()).isEqualTo(500_000);
        assertThat(config.ropeScaling()).isEqualTo(new RopeScaling.Llama3(8, 1, 4, 64));
    }

    @Test
    void absentFieldsHaveTransformersDefaults() throws IOException {
        assertThat(with("rope_scaling", "null"))
                .isEqualTo(new LlamaConfig(11, 16, 24, 2, 4, 4, 4, 1e-6, 10_000, new RopeScaling.None(), false, 2048));
        assertThat(with("rope_parameters", "{\"rope_type\": \"default\"}").ropeScaling())
                .isEqualTo(new RopeScaling.None());
    }

    @Test
    void headSizeIsIndependentOfHiddenSize() throws IOException {
        assertThat(with("head_dim", "16").querySize()).isEqualTo(64);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model_type | \"mistral\" | model_type is \"mistral\"; wanted llama",
                "model_type | null | model_type is missing",
                "architectures | [\"MistralForCausalLM\"] | architectures",
                "hidden_act | \"gelu\" | hidden_act is \"gelu\"; wanted silu",
                "attention_bias | true | attention_bias is true; wanted false",
                "attention_bias | \"no\" | attention_bias is \"no\"; wanted true or false",
                "mlp_bias | true | mlp_bias is true; wanted false",
                "sliding_window | 4096 | sliding_window is 4096",
                "quantization_config | {\"bits\": 4} | quantization_config",
                "partial_rotary_factor | 0.5 | partial_rotary_factor is 0.5; wanted 1",
                "vocab_size | 0 | vocab_size is 0; wanted a positive integer",
                "hidden_size | null | hidden_size is missing; wanted a positive integer",
                "hidden_size | 16.5 | hidden_size is 16.5; wanted a positive integer",
                "hidden_size | 4294967312 | hidden_size is 4294967312; wanted a positive integer",
                "hidden_size | \"16\" | hidden_size is \"16\"; wanted a positive integer",
                "num_hidden_layers | -1 | num_hidden_layers is -1; wanted a positive integer",
                "num_attention_heads | 3 | num_attention_heads is 3; wanted a divisor of hidden_size, 16",
                "num_key_value_heads | 3 | num_key_value_heads is 3; wanted a divisor of num_attention_heads, 4",
                "head_dim | 3 | head_dim is 3; wanted an even number",
                "head_dim | 1073741824 | num_attention_heads times head_dim is 4294967296",
                "rms_norm_eps | -1e-6 | rms_norm_eps is -1.0E-6; wanted a positive number",
                "rms_norm_eps | 1e999 | rms_norm_eps is",
                "rope_theta | 0 | rope_theta is 0; wanted a positive number",
                "rope_scaling | \"linear\" | rope_scaling is \"linear\"; wanted an object",
                "rope_scaling | {\"type\": \"dynamic\", \"factor\": 2} | rope_scaling: type is \"dynamic\"; wanted",
                "rope_scaling | {\"rope_type\": \"yarn\", \"factor\": 2} | rope_scaling: rope_type is \"yarn\"",
                "rope_scaling | {\"type\": \"linear\"} | rope_scaling: factor is missing",
                "rope_scaling | {\"type\": \"linear\", \"factor\": -4} | rope_scaling: factor is -4; wanted a positive",
                "rope_scaling | {\"type\": 7} | rope_scaling: type is 7; wanted a text",
                "rope_scaling | {\"rope_type\": \"llama3\", \"factor\": 8} | rope_scaling: low_freq_factor is missing",
                "rope_scaling | {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4,"
                        + " \"high_freq_factor\": 4} | rope_scaling: high_freq_factor is 4.0; wanted more than",
                "rope_parameters | {\"full_attention\": {\"rope_theta\": 1}} | rope_parameters: full_attention is",
                "rope_parameters | {\"partial_rotary_factor\": 0.25} | rope_parameters: partial_rotary_factor is 0.25",
            })
    void refusesByName(String field, String value, String message) {
        assertThatThrownBy(() -> with(field, value))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("config.json: " + message);
    }

    @Test
    void aSlidingWindowThatIsSwitchedOffDoesNotMatter() throws IOException {
        LlamaConfig config = read("""
                {"model_type": "llama", "vocab_size": 11, "hidden_size": 16, "intermediate_size": 24,
                 "num_hidden_layers": 2, "num_attention_heads": 4, "sliding_window": 8, "use_sliding_window": false}
                """);
        assertThat(config.hiddenSize()).isEqualTo(16);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "null", "{} {}", "{\"a\": 1, \"a\": 2}", "nonsense"})
    void refusesWhatIsNoObject(String json) {
        assertThatThrownBy(() -> read(json))
                .isInstanceOf(BadInputException.class)
                .message()
                .contains("config.json: ")
                .doesNotContain("\n");
    }

    @Test
    void refusesOtherEncodingsAndDepths() throws IOException {
        Path file = temporary.resolve("config.json");
        Files.write(file, "{\"a\": \"é\"}".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> LlamaConfig.read(file)).hasMessageContaining("config.json: not UTF-8");
        String deep = "{\"hidden_size\": " + "[".repeat(100_000) + "]".repeat(100_000) + "}";
        assertThatThrownBy(() -> read(deep)).isInstanceOf(BadInputException.class);
        String nested = "[".repeat(990) + "]".repeat(990);
        assertThatThrownBy(() -> with("hidden_size", nested)).isInstanceOf(BadInputException.class);
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> LlamaConfig.read(temporary.resolve("config.json")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("config.json: no such file");
    }

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        for (RopeScaling scaling : new RopeScaling[] {
            new RopeScaling.None(), new RopeScaling.Linear(2.5), new RopeScaling.Llama3(8, 1, 4, 8192)
        }) {
            LlamaConfig config = new LlamaConfig(101, 40, 72, 3, 4, 2, 16, 1e-5, 1e6, scaling, true, 512);
            config.write(temporary.resolve("config.json"));
            assertThat(LlamaConfig.read(temporary.resolve("config.json"))).isEqualTo(config);
        }
    }
}
