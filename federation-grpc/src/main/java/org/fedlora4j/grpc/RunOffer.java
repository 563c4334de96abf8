package org.fedlora4j.grpc;

import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.SettingsJson;

/**
 * What the server tells a client that joins: what is trained and how. Which token pads a batch is the client's own
 * tokenizer's affair, whatever the settings say.
 *
 * @param id of the run, the same when the server is started again
 * @param template the name of the prompts' template
 * @param maxTokens where examples are cut off
 */
public record RunOffer(String id, Federation.Settings settings, String template, int maxTokens) {
    public RunOffer {
        if (!id.matches("[0-9a-f]{8,64}")) {
            throw new BadInputException("the run's id: '" + id + "', wanted 8 to 64 hexadecimal digits");
        }
        if (maxTokens < 2) {
            throw new BadInputException("max-tokens: " + maxTokens + ", wanted at least 2");
        }
        settings.recipe().requireFederated();
    }

    /** The settings with the token that pads this client's batches. */
    public Federation.Settings settings(int padId) {
        return new Federation.Settings(
                settings.lora(),
                settings.recipe(),
                settings.rounds(),
                settings.batchSize(),
                settings.batchWindow(),
                padId,
                settings.seed(),
                settings.participation());
    }

    String toJson() {
        return SettingsJson.toTree(settings)
                .put("template", template)
                .put("max-tokens", maxTokens)
                .toString();
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @throws BadInputException if a server sent anything else
     */
    static RunOffer fromJson(String id, String json) {
        return SettingsJson.read(json, "the server's settings", fields -> {
            String template = fields.text("template");
            int maxTokens = fields.integer("max-tokens");
            return SettingsJson.settings(fields)
                    .flatMap(run -> fields.attempt(() -> new RunOffer(id, run, template, maxTokens)));
        });
    }
}
