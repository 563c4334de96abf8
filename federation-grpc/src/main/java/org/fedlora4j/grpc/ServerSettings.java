package org.fedlora4j.grpc;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.Fields;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.SettingsJson;
import org.fedlora4j.lora.LoraConfig;

/**
 * A server's file; {@code docs/federation.md} explains the settings under their names there.
 *
 * @param model a checkpoint's folder; its weights, where it has any, are only compared with those of the clients
 * @param output where the run's state and its result are kept
 * @param run what is trained
 * @param template the name of the prompts' template
 * @param maxTokens where examples are cut off
 * @param clients who takes part, and how long they are waited for
 * @param endpoint where to listen
 * @param status where the status page is, on loopback unless said otherwise; none without one
 */
public record ServerSettings(
        Path model,
        Path output,
        Federation.Settings run,
        String template,
        int maxTokens,
        GrpcEngine.Settings clients,
        Endpoint endpoint,
        Optional<Endpoint> status) {
    /**
     * Settings from a parsed file.
     *
     * @param source for messages: the file
     * @param templates names of the prompts' templates that clients know
     * @throws BadInputException if it isn't as it should be; all problems at once
     */
    public static ServerSettings fromTree(JsonNode tree, String source, Set<String> templates) throws IOException {
        List<String> problems = new ArrayList<>();
        Fields fields = new Fields(tree, "", problems);
        Optional<Path> model = fields.path("model");
        Optional<Path> output = fields.path("output");
        Optional<Federation.Settings> run = run(fields, tree.path("recipe"));
        String template = fields.text("template", "alpaca");
        int maxTokens = fields.integer("max-tokens", 256);
        Optional<GrpcEngine.Settings> clients = clients(fields);
        String listen = fields.text("listen", "127.0.0.1:7443");
        Optional<Security> security = Security.of(fields, "");
        String status = fields.text("status", "127.0.0.1:7480");
        return fields.build(() -> new ServerSettings(
                        model.orElseThrow(),
                        output.orElseThrow(),
                        run.orElseThrow(),
                        template(template, templates),
                        maxTokens,
                        clients.orElseThrow(),
                        Endpoint.of(listen, security.orElseThrow()),
                        status.equals("none")
                                ? Optional.empty()
                                : Optional.of(Endpoint.of(status, new Security.Plaintext("")))))
                .orElseThrow(() -> new BadInputException(source + ": " + String.join("; ", problems)));
    }

    private static Optional<Federation.Settings> run(Fields fields, JsonNode recipeNode) throws IOException {
        Optional<LoraConfig> lora = SettingsJson.lora(fields.childOrEmpty("lora"));
        Recipe recipe = !fields.has("recipe")
                ? RecipeFile.load("fedlora-optimizer")
                : recipeNode.isTextual()
                        ? RecipeFile.load(recipeNode.textValue())
                        : RecipeFile.fromTree(recipeNode, "recipe");
        int rounds = fields.integer("rounds", 6);
        double participation = fields.number("participation", 1);
        int batchSize = fields.integer("batch-size", 2);
        int batchWindow = fields.integer("batch-window", 8);
        int seed = fields.integer("seed", 1);
        return lora.flatMap(adapter -> fields.attempt(() ->
                new Federation.Settings(adapter, recipe, rounds, batchSize, batchWindow, 0, seed, participation)));
    }

    private static Optional<GrpcEngine.Settings> clients(Fields fields) {
        Set<String> ids = fields.set("clients", Function.identity());
        int minClients = fields.integer("min-clients", Math.max(1, ids.size()));
        int roundTimeout = fields.integer("round-timeout", 1_800);
        int phaseTimeout = fields.integer("phase-timeout", 86_400);
        double normBound = fields.number("norm-bound", 10);
        return fields.attempt(() -> new GrpcEngine.Settings(
                new TreeSet<>(ids),
                minClients,
                Duration.ofSeconds(roundTimeout),
                Duration.ofSeconds(phaseTimeout),
                normBound));
    }

    private static String template(String name, Set<String> templates) {
        if (!templates.contains(name)) {
            throw new BadInputException("template: " + name + ", wanted one of " + templates);
        }
        return name;
    }
}
