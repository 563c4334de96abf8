package org.fedlora4j.benchmark.speed;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Example;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.Phase;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;

/**
 * Times rounds of a federation: the phases of the recipe {@code fedlora-optimizer}, of a few steps each, for a number of
 * clients. A step of the measurement is a round; the first one, which compiles plans, is not timed.
 */
public final class RoundBenchmark {
    private RoundBenchmark() {}

    public static void main(String[] texts) throws IOException {
        Arguments arguments = Arguments.parse(
                texts,
                List.of("MODEL", "CLIENTS", "BATCH", "TOKENS"),
                MeasuredModel.options("rounds", "steps", "warm-up", "rank"));
        int clients = arguments.number("CLIENTS");
        int rows = arguments.number("BATCH");
        int tokens = arguments.number("TOKENS");
        Recipe recipe = recipe(arguments.number("steps", 1));
        try (LanguageModel model = MeasuredModel.open(arguments)) {
            warmUp(model, arguments);
            Federation.Settings settings = new Federation.Settings(
                    MeasuredModel.lora(arguments.number("rank", 8)),
                    recipe,
                    1 + arguments.number("rounds", 2),
                    rows,
                    1,
                    0,
                    1);
            List<ClientData> data = data(model.config().vocabularySize(), clients, rows, tokens);
            try (Federation federation = new Federation(model, settings, data)) {
                Rounds rounds = new Rounds();
                federation.run(rounds);
                double computed = (double) clients
                        * rows
                        * tokens
                        * recipe.round().stream().mapToInt(Phase::steps).sum();
                System.out.println(Measurement.here(rounds.millis(), computed, new TreeMap<>())
                        .toJson());
            }
        }
    }

    /** Steps of the same shape, for the JVM to compile what they run. */
    private static void warmUp(LanguageModel model, Arguments arguments) {
        try (Trainer trainer = MeasuredModel.trainer(model, arguments.number("rank", 8))) {
            TokenBatch batch = SyntheticTokens.batch(
                    model.config().vocabularySize(), arguments.number("BATCH"), arguments.number("TOKENS"));
            Measurement.time(arguments.number("warm-up", Measurement.WARM_UP), 1, () -> trainer.step(batch));
        }
    }

    /** The recipe without its warm-up, each phase of so many steps. */
    private static Recipe recipe(int steps) throws IOException {
        Recipe recipe = RecipeFile.load("fedlora-optimizer");
        return new Recipe(
                recipe.name(),
                0,
                List.of(),
                recipe.round().stream().map(phase -> phase.withSteps(steps)).toList(),
                recipe.finish(),
                recipe.pooled(),
                recipe.magnitudeAxis(),
                recipe.magnitudeStep(),
                recipe.privateFactorIn());
    }

    /** As many examples for each client as a batch has rows. */
    private static List<ClientData> data(int vocabularySize, int clients, int rows, int tokens) {
        int[][] ids = SyntheticTokens.ids(vocabularySize, clients * rows, tokens);
        List<ClientData> data = new ArrayList<>();
        for (int client = 0; client < clients; client++) {
            List<Example> examples = new ArrayList<>();
            for (int row = client * rows; row < (client + 1) * rows; row++) {
                examples.add(new Example(ids[row], ids[row]));
            }
            data.add(new ClientData("client-" + client, examples));
        }
        return data;
    }

    /** Remembers when rounds ended. */
    private static final class Rounds implements RunListener {
        private final List<Long> ends = new ArrayList<>();

        @Override
        public void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) {
            ends.add(System.nanoTime());
        }

        /** Of all rounds but the first. */
        List<Double> millis() {
            List<Double> millis = new ArrayList<>();
            for (int i = 1; i < ends.size(); i++) {
                millis.add((ends.get(i) - ends.get(i - 1)) / 1e6);
            }
            return millis;
        }
    }
}
