package org.fedlora4j.federation;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.fedlora4j.federation.optimizer.ServerSettings;
import org.fedlora4j.lora.LearningRateSchedule;
import org.fedlora4j.lora.LoraConfig;

/** Variants of recipes and settings for tests. */
final class Runs {
    static final LoraConfig LORA = LoraConfig.of(2, 4, "q_proj", "v_proj");
    static final int BATCH = 2;
    static final int WINDOW = 2;
    static final int PADDING = 0;
    static final long SEED = 11;

    private Runs() {}

    /** A built-in recipe with one warm-up round and two steps a phase. */
    static Recipe recipe(String name) throws IOException {
        Recipe recipe = RecipeFile.load(name);
        Recipe finished = withFinish(recipe, shortened(recipe.finish()), recipe.privateFactorIn());
        return of(finished, 1, shortened(recipe.warmUp()), shortened(recipe.round()), recipe.privateFactorIn());
    }

    static Recipe of(Recipe recipe, int warmUpRounds, List<Phase> warmUp, List<Phase> round, Set<String> factorIn) {
        return new Recipe(
                recipe.name(),
                warmUpRounds,
                warmUp,
                round,
                recipe.finish(),
                recipe.pooled(),
                recipe.magnitudeAxis(),
                recipe.magnitudeStep(),
                factorIn);
    }

    static Recipe withFinish(Recipe recipe, List<Phase> finish, Set<String> factorIn) {
        return new Recipe(
                recipe.name(),
                recipe.warmUpRounds(),
                recipe.warmUp(),
                recipe.round(),
                finish,
                recipe.pooled(),
                recipe.magnitudeAxis(),
                recipe.magnitudeStep(),
                factorIn);
    }

    static Federation.Settings settings(Recipe recipe, int rounds) {
        return new Federation.Settings(LORA, recipe, rounds, BATCH, WINDOW, PADDING, SEED);
    }

    /** Three examples for client {@code 1}, four for client {@code 2} and so on, of three to nine tokens. */
    static List<ClientData> clients(int count) {
        List<ClientData> clients = new ArrayList<>();
        for (int client = 1; client <= count; client++) {
            clients.add(TinyFederation.client("client-" + client, 2 + client, 3, 100L * client));
        }
        return clients;
    }

    /** A server optimizer with a state. */
    static Phase withMomentum(Phase phase) {
        return copy(phase, phase.steps(), phase.learningRate(), new ServerSettings.Momentum(0.8, 0.5));
    }

    /** Another local optimizer. */
    static Phase trained(Phase phase, LearningRateSchedule schedule, double proximal) {
        return trained(phase.name(), phase, schedule, proximal);
    }

    static Phase trained(String name, Phase phase, LearningRateSchedule schedule, double proximal) {
        return new Phase(
                name,
                phase.train(),
                phase.share(),
                phase.steps(),
                phase.learningRate(),
                schedule,
                phase.weightDecay(),
                proximal,
                phase.aggregation(),
                phase.server());
    }

    static Phase copy(Phase phase, int steps, double learningRate, ServerSettings server) {
        return new Phase(
                phase.name(),
                phase.train(),
                phase.share(),
                steps,
                learningRate,
                phase.schedule(),
                phase.weightDecay(),
                phase.proximal(),
                phase.aggregation(),
                server);
    }

    private static List<Phase> shortened(List<Phase> phases) {
        return phases.stream().map(phase -> phase.withSteps(2)).toList();
    }
}
