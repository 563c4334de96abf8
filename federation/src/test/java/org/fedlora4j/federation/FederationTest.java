package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdamW;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class FederationTest {
    private static final Set<Part> WHOLE = Set.of(Part.A, Part.B);

    @TempDir
    static Path temporary;

    @AutoClose
    private static LanguageModel model;

    @BeforeAll
    static void open() throws IOException {
        model = TinyFederation.open(temporary.resolve("model"));
    }

    @Test
    void oneClientIsPlainTraining() throws IOException {
        Recipe recipe = Runs.recipe("fedavg-lora");
        ClientData data = Runs.clients(1).get(0);
        AdapterState adapter = AdapterState.initial(Runs.LORA, ModuleShape.of(model.config(), Runs.LORA), Runs.SEED);
        try (Trainer trainer = new Trainer(model, Runs.LORA, WHOLE, recipe.magnitudeAxis(), recipe.magnitudeStep())) {
            for (int stage = 0; stage < RoundContext.stages(recipe, 2); stage++) {
                RoundContext context = new RoundContext(recipe, 2, Runs.SEED, stage);
                long seed = context.clientSeed(data.id());
                Batches batches = new Batches(data.train(), Runs.BATCH, Runs.WINDOW, Runs.PADDING, seed);
                trainer.start(adapter, AdamW.Settings.of(context.phase().learningRate(), 0), seed);
                for (int step = 0; step < context.phase().steps(); step++) {
                    trainer.step(batches.next());
                }
                adapter = new PartValues(trainer.trained()).applyTo(adapter, recipe.magnitudeAxis());
            }
        }
        assertThat(run(recipe, 2, List.of(data)).global()).isEqualTo(adapter);
    }

    /** With one example there is one order, so all clients see the same batches. */
    @Test
    void equalClientsAreOne() throws IOException {
        Recipe recipe = Runs.recipe("fedavg-lora");
        List<Example> examples = List.of(TinyFederation.example(new Random(5), 3));
        List<ClientData> clients = new ArrayList<>();
        for (String id : List.of("a", "b", "c")) {
            clients.add(new ClientData(id, examples));
        }
        assertThat(run(recipe, 1, clients).global())
                .isEqualTo(run(recipe, 1, clients.subList(0, 1)).global());
    }

    @Test
    void theOrderOfTheClientsDoesNotMatter() throws IOException {
        Recipe recipe = Runs.recipe("fedlora-optimizer");
        List<ClientData> clients = Runs.clients(3);
        TinyFederation.Models inOrder = run(recipe, 1, clients);
        Collections.reverse(clients);

        assertThat(run(recipe, 1, clients)).isEqualTo(inOrder);
    }

    @Test
    void theSeedMatters() throws IOException {
        Recipe recipe = Runs.recipe("fedavg-lora");
        Federation.Settings other =
                new Federation.Settings(Runs.LORA, recipe, 1, Runs.BATCH, Runs.WINDOW, Runs.PADDING, Runs.SEED + 1);
        assertThat(run(other, Runs.clients(2), RunListener.NONE)).isNotEqualTo(run(recipe, 1, Runs.clients(2)));
    }

    @Test
    void updatesHoldOnlyWhatThePhaseShares() throws IOException {
        Recipe recipe = Runs.recipe("fedlora-optimizer");
        List<SharedUpdate> updates = new ArrayList<>();
        run(Runs.settings(recipe, 1), Runs.clients(2), collecting(updates));

        assertThat(updates).hasSize(2 * (1 + 3));
        for (SharedUpdate update : updates) {
            Set<Part> wanted = switch (update.phase()) {
                case "magnitude" -> Set.of();
                case "direction" -> Set.of(Part.A_DIRECTION);
                default -> WHOLE;
            };
            assertThat(update.values().parts()).as(update.phase()).isEqualTo(wanted);
            assertThat(update.metrics()).containsOnlyKeys("loss", "padding", "tokens");
        }
    }

    /** Whether clients train magnitudes of their own or not: what they send is the same, to the last bit. */
    @Test
    void nothingSentDependsOnWhatIsPrivate() throws IOException {
        Recipe recipe = Runs.recipe("fedlora-optimizer");
        List<Phase> shared = recipe.round().stream()
                .filter(phase -> !phase.share().isEmpty())
                .toList();
        Recipe without = Runs.of(recipe, 1, recipe.warmUp(), shared, Set.of());

        List<SharedUpdate> sent = new ArrayList<>();
        List<SharedUpdate> sentWithout = new ArrayList<>();
        AdapterState global =
                run(Runs.settings(recipe, 2), Runs.clients(2), collecting(sent)).global();
        sent.removeIf(update -> update.phase().equals("magnitude"));

        assertThat(run(Runs.settings(without, 2), Runs.clients(2), collecting(sentWithout))
                        .global())
                .isEqualTo(global);
        assertThat(sent)
                .hasSize(2 * (1 + 2 * 2))
                .extracting(SharedUpdate::values)
                .isEqualTo(sentWithout.stream().map(SharedUpdate::values).toList());
    }

    @Test
    void personalModelsDifferInTheMagnitudeOfBAlone() throws IOException {
        TinyFederation.Models models = run(Runs.recipe("fedlora-optimizer"), 1, Runs.clients(2));
        SharedParts global = new SharedParts(models.global(), MagnitudeAxis.ROW);
        assertThat(models.personal().values()).doesNotHaveDuplicates();
        models.personal().forEach((id, adapter) -> {
            SharedParts own = new SharedParts(adapter, MagnitudeAxis.ROW);
            assertThat(magnitudeOfB(own)).as(id).isNotEqualTo(magnitudeOfB(global));
            global.adapter().modules().forEach((module, pair) -> {
                assertThat(adapter.pair(module).a()).as(id).isEqualTo(pair.a());
                assertThat(directionOfB(own, module).values())
                        .as("%s, %s", id, module)
                        .containsExactly(directionOfB(global, module).values(), within(1e-6f));
            });
        });
    }

    @Test
    void withoutPrivatePartsAClientsModelIsTheGlobalOne() throws IOException {
        TinyFederation.Models models = run(Runs.recipe("fedavg-lora"), 1, Runs.clients(2));
        assertThat(models.personal().values()).allMatch(models.global()::equals);
    }

    @Test
    void aloneClientsLeaveTheGlobalModelUntrained() throws IOException {
        TinyFederation.Models models = run(Runs.recipe("local"), 1, Runs.clients(2));
        assertThat(models.global().modules().values()).allMatch(pair -> pair.b().isZero());
        assertThat(models.personal().values())
                .doesNotHaveDuplicates()
                .noneMatch(adapter -> adapter.equals(models.global()));
    }

    @ParameterizedTest
    @FieldSource("org.fedlora4j.federation.RecipeFile#BUILT_IN")
    void everyRecipeRuns(String name) throws IOException {
        Recipe recipe = Runs.recipe(name);
        List<PhaseResult> results = new ArrayList<>();
        List<String> rounds = new ArrayList<>();
        RunListener listener = new RunListener() {
            @Override
            public void updateSent(RoundContext context, SharedUpdate update) {
                assertThat(update.values().parts()).isEqualTo(context.phase().share());
            }

            @Override
            public void phaseEnded(RoundContext context, PhaseResult result) {
                results.add(result);
            }

            @Override
            public void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) {
                rounds.add(context.label());
                assertThat(phases).isEqualTo(results.subList(results.size() - phases.size(), results.size()));
            }
        };
        run(Runs.settings(recipe, 1), Runs.clients(2), listener);

        boolean finishes = !recipe.finish().isEmpty();
        assertThat(rounds)
                .isEqualTo(
                        finishes ? List.of("warm-up 1/1", "round 1/1", "finish") : List.of("warm-up 1/1", "round 1/1"));
        assertThat(results).hasSize(1 + recipe.round().size() + recipe.finish().size());
        Set<String> clients = recipe.pooled() ? Set.of("all") : Set.of("client-1", "client-2");
        assertThat(results).allSatisfy(result -> {
            assertThat(result.clients().keySet()).isEqualTo(clients);
            assertThat(result.loss()).isBetween(1.0, 10.0);
            assertThat(result.tokens()).isPositive();
            assertThat(result.padding()).isPositive();
        });
    }

    /** Rank 2 on q [32, 32] and v [16, 32] of two layers: A has 2 · 32 values, B 32 · 2 and 16 · 2. */
    @Test
    void countsWhatIsSent() throws IOException {
        List<PhaseResult> round = new ArrayList<>();
        List<Integer> steps = new ArrayList<>();
        RunListener listener = new RunListener() {
            @Override
            public void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
                steps.add(step);
            }

            @Override
            public void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) {
                round.addAll(phases);
            }
        };
        run(Runs.settings(Runs.recipe("fedlora-optimizer"), 1), Runs.clients(2), listener);

        assertThat(round).extracting(PhaseResult::phase).containsExactly("warm-up", "adapt", "direction", "magnitude");
        assertThat(round).extracting(PhaseResult::bytesUp).containsExactly(1_792L, 1_792L, 1_024L, 0L);
        assertThat(round).extracting(PhaseResult::bytesDown).containsExactly(1_792L, 1_792L, 1_024L, 0L);
        assertThat(round.get(2).drift()).containsOnlyKeys(Part.A_DIRECTION);
        assertThat(round.get(2).drift().get(Part.A_DIRECTION)).isBetween(0.9, 1.0);
        assertThat(steps).hasSize(2 * 2 * 4).startsWith(1, 2, 1, 2);
    }

    @Test
    void anUntrainedAdapterCannotBeSplit() throws IOException {
        Recipe recipe = Runs.recipe("fedlora-two-phase");
        Recipe cold = Runs.of(recipe, 0, List.of(), recipe.round(), recipe.privateFactorIn());
        assertThatThrownBy(() -> run(cold, 1, Runs.clients(1)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("warm-up needed");
    }

    @Test
    void divergedTrainingIsNamed() throws IOException {
        Recipe recipe = Runs.recipe("fedavg-lora");
        Phase phase = recipe.round().get(0);
        Phase wild = Runs.copy(phase, 4, 1e38, phase.server());
        assertThatThrownBy(() -> run(Runs.of(recipe, 0, List.of(), List.of(wild), Set.of()), 1, Runs.clients(1)))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("client client-1, round 1/1, phase adapt: ")
                .hasMessageContaining("lower the phase's learning-rate, now 1.0E38");
    }

    @Test
    void refusesWhatIsNoFederation() throws IOException {
        Federation.Settings settings = Runs.settings(Runs.recipe("fedavg-lora"), 1);
        ClientData client = Runs.clients(1).get(0);
        assertThatThrownBy(() -> new Federation(model, settings, List.of(client, client)))
                .isInstanceOf(BadInputException.class)
                .hasMessage("two clients are called client-1");
        assertThatThrownBy(() -> new Federation(model, settings, List.of())).hasMessageContaining("no clients");
        assertThatThrownBy(() -> new ClientData("a", List.of())).hasMessageContaining("client a: no training examples");
        assertThatThrownBy(() -> new Example(new int[] {1, 2}, new int[] {1, -100}))
                .hasMessageContaining("without a target");
        assertThatThrownBy(() -> new Federation.Settings(Runs.LORA, settings.recipe(), 1, 0, 1, 0, 0))
                .hasMessage("batch-size: 0, wanted at least 1");
        assertThatThrownBy(() -> new Federation.Settings(Runs.LORA, settings.recipe(), 1, 1, 0, 0, 0))
                .hasMessage("batch-window: 0, wanted at least 1");
        for (double share : new double[] {0, -0.5, 1.01, Double.NaN}) {
            assertThatThrownBy(() -> new Federation.Settings(Runs.LORA, settings.recipe(), 1, 1, 1, 0, 0, share))
                    .hasMessage("participation: " + share + ", wanted above 0 and at most 1");
        }
    }

    private static TinyFederation.Models run(Recipe recipe, int rounds, List<ClientData> clients) throws IOException {
        return run(Runs.settings(recipe, rounds), clients, RunListener.NONE);
    }

    private static TinyFederation.Models run(
            Federation.Settings settings, List<ClientData> clients, RunListener listener) throws IOException {
        return TinyFederation.run(model, settings, clients, listener);
    }

    private static RunListener collecting(List<SharedUpdate> updates) {
        return new RunListener() {
            @Override
            public void updateSent(RoundContext context, SharedUpdate update) {
                updates.add(update);
            }
        };
    }

    private static PartValues magnitudeOfB(SharedParts parts) {
        return parts.values(Set.of(Part.B_MAGNITUDE));
    }

    private static Matrix directionOfB(SharedParts parts, String module) {
        return parts.values(Set.of(Part.B_DIRECTION)).of(Part.B_DIRECTION, module);
    }
}
