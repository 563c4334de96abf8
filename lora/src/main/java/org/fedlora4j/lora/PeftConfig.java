package org.fedlora4j.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.JsonFields;

/** PEFT's {@code adapter_config.json}, both ways (peft 0.21, LoraConfig). */
final class PeftConfig {
    /** Settings that change what an adapter computes and that fedlora4j does not have; refused unless empty. */
    private static final List<String> UNSUPPORTED = List.of(
            "use_dora",
            "fan_in_fan_out",
            "lora_bias",
            "use_qalora",
            "use_bdlora",
            "layers_to_transform",
            "layer_replication",
            "exclude_modules",
            "modules_to_save",
            "target_parameters",
            "trainable_token_indices",
            "alora_invocation_tokens");

    /** Initialisations that change the base weights: such an adapter does not fit the model that it names. */
    private static final List<String> CHANGES_BASE = List.of("pissa", "olora", "corda", "loftq", "lora_ga");

    private PeftConfig() {}

    static LoraConfig read(JsonFields fields) {
        requireText(fields, "peft_type", "LORA");
        if (fields.has("task_type")) {
            requireText(fields, "task_type", "CAUSAL_LM");
        }
        if (fields.has("bias")) {
            requireText(fields, "bias", "none");
        }
        for (String field : UNSUPPORTED) {
            JsonNode value = fields.node().path(field);
            boolean empty = value.isMissingNode()
                    || value.isNull()
                    || (value.isBoolean() && !value.booleanValue())
                    || (value.isContainerNode() && value.isEmpty());
            if (!empty) {
                throw fields.wrong(field, "none, as fedlora4j does not support it");
            }
        }
        String initialisation = fields.node().path("init_lora_weights").asText();
        if (CHANGES_BASE.stream().anyMatch(initialisation::startsWith)) {
            throw fields.wrong("init_lora_weights", "one that leaves the base weights as they are");
        }
        return lora(fields);
    }

    private static LoraConfig lora(JsonFields fields) {
        double dropout =
                fields.has("lora_dropout") ? fields.node().get("lora_dropout").asDouble(-1) : 0;
        try {
            return new LoraConfig(
                    fields.positiveInt("r"),
                    fields.positiveNumber("lora_alpha"),
                    targets(fields),
                    dropout,
                    fields.bool("use_rslora", false),
                    pattern(fields, "rank_pattern", JsonFields::positiveInt),
                    pattern(fields, "alpha_pattern", JsonFields::positiveNumber));
        } catch (BadInputException e) {
            String message = String.valueOf(e.getMessage());
            throw message.startsWith(fields.place()) ? e : new BadInputException(fields.place() + ": " + message, e);
        }
    }

    private static Set<String> targets(JsonFields fields) {
        if (!(fields.node().get("target_modules") instanceof ArrayNode list)) {
            throw fields.wrong("target_modules", "a list of some of " + LoraConfig.PROJECTIONS);
        }
        Set<String> targets = new TreeSet<>();
        for (JsonNode target : list) {
            if (!LoraConfig.PROJECTIONS.contains(target.asText())) {
                throw fields.wrong("target_modules", "some of " + LoraConfig.PROJECTIONS);
            }
            targets.add(target.asText());
        }
        return targets;
    }

    private static <T> Map<String, T> pattern(
            JsonFields fields, String field, BiFunction<JsonFields, String, T> value) {
        Map<String, T> pattern = new LinkedHashMap<>();
        fields.object(field)
                .ifPresent(object -> object.names().forEach(name -> pattern.put(name, value.apply(object, name))));
        return pattern;
    }

    private static void requireText(JsonFields fields, String field, String wanted) {
        if (!fields.text(field).equals(wanted)) {
            throw fields.wrong(field, wanted);
        }
    }

    /** The settings as PEFT writes them; {@code baseModel} is a path or a name on the hub. */
    static ObjectNode write(LoraConfig config, String baseModel) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("peft_type", "LORA");
        json.put("task_type", "CAUSAL_LM");
        json.put("base_model_name_or_path", baseModel);
        json.put("inference_mode", true);
        json.put("r", config.rank());
        number(json, "lora_alpha", config.alpha());
        config.targets().forEach(json.putArray("target_modules")::add);
        json.put("lora_dropout", config.dropout());
        json.put("use_rslora", config.rsLora());
        config.rankPattern().forEach(json.putObject("rank_pattern")::put);
        ObjectNode alphas = json.putObject("alpha_pattern");
        config.alphaPattern().forEach((key, alpha) -> number(alphas, key, alpha));
        json.put("bias", "none");
        json.put("fan_in_fan_out", false);
        json.put("init_lora_weights", true);
        json.put("use_dora", false);
        return json;
    }

    /** PEFT declares alphas as integers and most are. */
    private static void number(ObjectNode json, String field, double value) {
        if (value == Math.rint(value) && value <= Integer.MAX_VALUE) {
            json.put(field, (int) value);
        } else {
            json.put(field, value);
        }
    }
}
