package org.fedlora4j.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.lora.LoraConfig;

/** The settings of a run as text, for executors; nothing is rounded. */
final class SettingsJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private SettingsJson() {}

    static String write(Federation.Settings settings) {
        return JSON.createObjectNode()
                .putPOJO("lora", settings.lora())
                .put("rounds", settings.rounds())
                .put("batchSize", settings.batchSize())
                .put("batchWindow", settings.batchWindow())
                .put("padId", settings.padId())
                .put("seed", settings.seed())
                .put("participation", settings.participation())
                .set("recipe", RecipeFile.toTree(settings.recipe()))
                .toString();
    }

    static Federation.Settings read(String text) {
        try {
            JsonNode tree = JSON.readTree(text);
            return new Federation.Settings(
                    JSON.treeToValue(tree.required("lora"), LoraConfig.class),
                    RecipeFile.fromTree(tree.required("recipe"), "the driver's recipe"),
                    tree.required("rounds").intValue(),
                    tree.required("batchSize").intValue(),
                    tree.required("batchWindow").intValue(),
                    tree.required("padId").intValue(),
                    tree.required("seed").longValue(),
                    tree.required("participation").doubleValue());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the driver's settings: " + e.getMessage(), e);
        }
    }
}
