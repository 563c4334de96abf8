package org.fedlora4j.model.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.function.Supplier;
import org.fedlora4j.common.BadInputException;

/**
 * Between Hugging Face's {@code config.json} and {@link LlamaConfig}. Defaults of absent fields are those of
 * {@code transformers}' {@code LlamaConfig}.
 */
final class LlamaConfigJson {
    private LlamaConfigJson() {}

    static LlamaConfig read(JsonFields fields) {
        refuseUnsupported(fields);
        int hiddenSize = fields.positiveInt("hidden_size");
        int heads = fields.positiveInt("num_attention_heads");
        if (!fields.has("head_dim") && hiddenSize % heads != 0) {
            throw fields.wrong("num_attention_heads", "a divisor of hidden_size, " + hiddenSize + ", or head_dim");
        }
        int maxPositions = fields.positiveInt("max_position_embeddings", 2048);
        // transformers before 5 keeps theta beside the scaling, since then both are in rope_parameters.
        Optional<JsonFields> rope = fields.object("rope_scaling").or(() -> fields.object("rope_parameters"));
        double theta = fields.positiveNumber("rope_theta", 10_000);
        return located(
                fields,
                () -> new LlamaConfig(
                        fields.positiveInt("vocab_size"),
                        hiddenSize,
                        fields.positiveInt("intermediate_size"),
                        fields.positiveInt("num_hidden_layers"),
                        heads,
                        fields.positiveInt("num_key_value_heads", heads),
                        fields.positiveInt("head_dim", Math.max(1, hiddenSize / heads)),
                        fields.positiveNumber("rms_norm_eps", 1e-6),
                        rope.map(r -> r.positiveNumber("rope_theta", theta)).orElse(theta),
                        rope.map(r -> readScaling(r, maxPositions)).orElseGet(RopeScaling.None::new),
                        fields.bool("tie_word_embeddings", false),
                        maxPositions));
    }

    static ObjectNode write(LlamaConfig config) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.putArray("architectures").add("LlamaForCausalLM");
        json.put("model_type", "llama");
        json.put("hidden_act", "silu");
        json.put("attention_bias", false);
        json.put("mlp_bias", false);
        json.put("vocab_size", config.vocabularySize());
        json.put("hidden_size", config.hiddenSize());
        json.put("intermediate_size", config.intermediateSize());
        json.put("num_hidden_layers", config.layers());
        json.put("num_attention_heads", config.heads());
        json.put("num_key_value_heads", config.keyValueHeads());
        json.put("head_dim", config.headSize());
        json.put("rms_norm_eps", config.rmsNormEps());
        json.put("rope_theta", config.ropeTheta());
        json.set("rope_scaling", writeScaling(config.ropeScaling()));
        json.put("tie_word_embeddings", config.tiedEmbeddings());
        json.put("max_position_embeddings", config.maxPositions());
        return json;
    }

    private static void refuseUnsupported(JsonFields fields) {
        if (!fields.text("model_type").equals("llama")) {
            throw fields.wrong("model_type", "llama: no other model is supported");
        }
        JsonNode architectures = fields.node().path("architectures");
        if (fields.has("architectures") && !architectures.path(0).asText().equals("LlamaForCausalLM")) {
            throw fields.wrong("architectures", "[\"LlamaForCausalLM\"]: no other model is supported");
        }
        if (fields.has("hidden_act") && !fields.text("hidden_act").equals("silu")) {
            throw fields.wrong("hidden_act", "silu: no other activation is supported");
        }
        for (String bias : new String[] {"attention_bias", "mlp_bias"}) {
            if (fields.bool(bias, false)) {
                throw fields.wrong(bias, "false: biases are not supported");
            }
        }
        if (fields.has("sliding_window") && fields.bool("use_sliding_window", true)) {
            throw fields.wrong("sliding_window", "null: attention in windows is not supported");
        }
        if (fields.has("quantization_config")) {
            throw fields.wrong("quantization_config", "none: quantised weights are not supported");
        }
        if (fields.positiveNumber("partial_rotary_factor", 1) != 1) {
            throw fields.wrong("partial_rotary_factor", "1: partly rotated heads are not supported");
        }
    }

    private static RopeScaling readScaling(JsonFields fields, int maxPositions) {
        // LLaMA-2's generation of files says type, the later ones rope_type.
        String key = fields.has("type") && !fields.has("rope_type") ? "type" : "rope_type";
        String type = fields.has(key) ? fields.text(key) : "default";
        if (fields.positiveNumber("partial_rotary_factor", 1) != 1) {
            throw fields.wrong("partial_rotary_factor", "1: partly rotated heads are not supported");
        }
        for (String name : fields.names()) {
            if (fields.node().get(name).isContainerNode()) {
                throw fields.wrong(name, "a number or a text: rotary settings per layer are not supported");
            }
        }
        return located(fields, () -> switch (type) {
            case "default" -> new RopeScaling.None();
            case "linear" -> new RopeScaling.Linear(fields.positiveNumber("factor"));
            case "llama3" ->
                new RopeScaling.Llama3(
                        fields.positiveNumber("factor"),
                        fields.positiveNumber("low_freq_factor"),
                        fields.positiveNumber("high_freq_factor"),
                        fields.positiveInt("original_max_position_embeddings", maxPositions));
            default -> throw fields.wrong(key, "default, linear or llama3: no other scaling is supported");
        });
    }

    private static JsonNode writeScaling(RopeScaling scaling) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        if (scaling instanceof RopeScaling.Linear linear) {
            return json.put("rope_type", "linear").put("factor", linear.factor());
        }
        if (scaling instanceof RopeScaling.Llama3 llama3) {
            return json.put("rope_type", "llama3")
                    .put("factor", llama3.factor())
                    .put("low_freq_factor", llama3.lowFrequencyFactor())
                    .put("high_freq_factor", llama3.highFrequencyFactor())
                    .put("original_max_position_embeddings", llama3.originalMaxPositions());
        }
        return JsonNodeFactory.instance.nullNode();
    }

    /** Puts the place before the message of a record's own checks, which do not know it. */
    private static <T> T located(JsonFields fields, Supplier<T> value) {
        try {
            return value.get();
        } catch (BadInputException e) {
            throw String.valueOf(e.getMessage()).startsWith(fields.place())
                    ? e
                    : new BadInputException(fields.place() + ": " + e.getMessage(), e);
        }
    }
}
