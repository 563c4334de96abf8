package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.fedlora4j.lora.AdamW;
import org.fedlora4j.lora.LearningRateSchedule;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What recipes can ask for beyond plain rounds: a finish, pooled data, a schedule and a pull. */
class PhasesTest {
    @TempDir
    static Path temporary;

    @AutoClose
    private static LanguageModel model;

    @BeforeAll
    static void open() throws IOException {
        model = TinyFederation.open(temporary.resolve("model"));
    }

    @Test
    void theFinishComesOnTopOfTheRounds() throws IOException {
        TinyFederation.Models average = run(Runs.recipe("fedavg-lora"), 2, Runs.clients(2));
        TinyFederation.Models finished = run(Runs.recipe("fedavg-then-local"), 2, Runs.clients(2));

        assertThat(finished.global()).isEqualTo(average.global());
        assertThat(finished.personal().values())
                .doesNotHaveDuplicates()
                .noneMatch(adapter -> adapter.equals(average.global()));
    }

    @Test
    void theFinishRunsWithoutAnyRound() throws IOException {
        List<String> rounds = new ArrayList<>();
        RunListener listener = new RunListener() {
            @Override
            public void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) {
                rounds.add(context.label());
            }
        };
        Federation.Settings settings = Runs.settings(Runs.recipe("fedavg-then-magnitude"), 0);
        try (Federation federation = new Federation(model, settings, Runs.clients(2))) {
            federation.run(listener);
            assertThat(federation.personal("client-1")).isNotEqualTo(federation.global());
        }
        assertThat(rounds).containsExactly("warm-up 1/1", "finish");
    }

    /** Clients of 3 and 4 examples in 2 steps a phase: one of 7 examples in 4 steps. */
    @Test
    void pooledIsOneClientWithAllData() throws IOException {
        Recipe pooled = Runs.recipe("centralized");
        List<ClientData> clients = Runs.clients(2);
        List<Example> all = new ArrayList<>();
        clients.forEach(client -> all.addAll(client.train()));
        assertThat(all).hasSize(7);
        List<Phase> phases = List.of(Runs.recipe("fedavg-lora").round().get(0).withSteps(4));
        Recipe alone = Runs.of(
                Runs.recipe("fedavg-lora"), 1, List.of(pooled.warmUp().get(0).withSteps(4)), phases, Set.of());

        TinyFederation.Models models = run(pooled, 2, clients);
        assertThat(models).isEqualTo(run(alone, 2, List.of(new ClientData("all", all))));
        assertThat(models.personal()).containsOnlyKeys("all");
        assertThat(run(pooled, 2, List.of(clients.get(1), clients.get(0)))).isEqualTo(models);
    }

    /** What a client does, step by step: the second round starts from its own factor, and is pulled to the shared values. */
    @Test
    void schedulesAndPullsAreTheTrainers() throws IOException {
        Recipe base = Runs.recipe("fedlora-local-only");
        Phase magnitude = Runs.trained(base.round().get(0), LearningRateSchedule.LINEAR, 0.5);
        Recipe recipe = Runs.of(base, 1, base.warmUp(), List.of(magnitude), base.privateFactorIn());
        ClientData data = Runs.clients(1).get(0);
        TinyFederation.Models found = run(recipe, 2, List.of(data));

        SharedParts shared = new SharedParts(found.global(), recipe.magnitudeAxis());
        PrivateParts own = PrivateParts.none(MagnitudeStep.MULTIPLICATIVE);
        double[] factors = {1, 0.75, 0.5, 0.25};
        Set<Part> parts = Set.of(Part.B_MAGNITUDE);
        try (Trainer trainer = new Trainer(model, Runs.LORA, parts, recipe.magnitudeAxis(), recipe.magnitudeStep())) {
            for (int round = 0; round < 2; round++) {
                long seed = new RoundContext(recipe, 2, Runs.SEED, 1 + round).clientSeed(data.id());
                Batches batches = new Batches(data.train(), Runs.BATCH, Runs.WINDOW, Runs.PADDING, seed);
                trainer.start(own.applyTo(shared), AdamW.Settings.of(magnitude.learningRate(), 0), seed);
                trainer.pullTowards(shared.values(parts).values(), 0.5);
                trainer.step(batches.next(), factors[2 * round]);
                trainer.step(batches.next(), factors[2 * round + 1]);
                own = own.updated(shared, new PartValues(trainer.trained()));
            }
        }
        assertThat(found.personal().get(data.id())).isEqualTo(own.applyTo(shared));
    }

    @Test
    void aPullChangesWhatIsTrained() throws IOException {
        assertThat(run(Runs.recipe("fedprox-lora"), 1, Runs.clients(2)).global())
                .isNotEqualTo(
                        run(Runs.recipe("fedavg-lora"), 1, Runs.clients(2)).global());
    }

    private static TinyFederation.Models run(Recipe recipe, int rounds, List<ClientData> clients) throws IOException {
        return TinyFederation.run(model, Runs.settings(recipe, rounds), clients, RunListener.NONE);
    }
}
