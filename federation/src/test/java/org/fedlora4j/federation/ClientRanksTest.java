package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two clients of an adapter of rank 2, the first of which has rank 1. */
class ClientRanksTest {
    private static final int ROUNDS = 2;

    @TempDir
    static Path temporary;

    @AutoClose
    private static LanguageModel model;

    @BeforeAll
    static void open() throws IOException {
        model = TinyFederation.open(temporary.resolve("model"));
    }

    /** A full update has 1,792 bytes (see {@link FederationTest}), half a rank half of them: 1,344 on average. */
    @Test
    void aClientTrainsSendsAndHasItsRankOnly() throws IOException {
        Notes notes = new Notes();
        TinyFederation.Models models = run("flexlora", clients(1), notes);

        assertThat(notes.updates).hasSize(2 * (1 + ROUNDS));
        for (SharedUpdate update : notes.updates) {
            boolean low = update.clientId().equals("client-1");
            assertThat(update.bytes()).as(update.clientId()).isEqualTo(low ? 896 : 1_792);
            update.values().of(Part.B).forEach((module, b) -> {
                Matrix a = update.values().of(Part.A, module);
                assertThat(Matrix.of(1, 32, a.row(0)).isZero()).isFalse();
                assertThat(Matrix.of(1, 32, a.row(1)).isZero())
                        .as(update.clientId())
                        .isEqualTo(low);
                assertThat(b.isZero()).isFalse();
                assertThat(Matrix.of(1, b.rows(), b.transpose().row(1)).isZero())
                        .as(update.clientId())
                        .isEqualTo(low);
            });
        }
        assertThat(notes.results).allSatisfy(result -> {
            assertThat(result.bytesUp()).isEqualTo(1_344);
            assertThat(result.bytesDown()).isEqualTo(1_344);
        });
        assertThat(models.personal().get("client-1"))
                .isEqualTo(models.global().cutTo(1))
                .isNotEqualTo(models.global());
        assertThat(models.personal().get("client-2")).isEqualTo(models.global());
        assertThat(models.global().modules().values())
                .allSatisfy(pair ->
                        assertThat(pair.cutTo(1).b()).as("the second component").isNotEqualTo(pair.b()));
    }

    /** Clients of 3 and 4 examples: what the first lacks is zero in the mean, so 4/7 of the second's is left. */
    @Test
    void plainAveragingPadsWithZeros() throws IOException {
        Notes notes = new Notes();
        AdapterState global = run("fedavg-lora", clients(1), notes).global();
        PartValues second = notes.updates.get(notes.updates.size() - 1).values();

        global.modules().forEach((module, pair) -> {
            for (int j = 0; j < pair.in(); j++) {
                assertThat(pair.a().get(1, j))
                        .isEqualTo((float) (4.0 / 7 * second.of(Part.A, module).get(1, j)));
            }
        });
    }

    /** What is trained and kept in parts, or in B alone, is kept within the rank too. */
    @ParameterizedTest
    @ValueSource(strings = {"fedavg-lora", "ffa-lora", "fedsa-lora", "local", "fedlora-local-only"})
    void recipesThatShareMatricesRunWithRanks(String name) throws IOException {
        AdapterState own = Objects.requireNonNull(
                run(name, clients(1), new Notes()).personal().get("client-1"));
        assertThat(own).isEqualTo(own.cutTo(1));
        assertThat(own.isTrained()).isTrue();
    }

    @Test
    void theFullRankIsNoLimit() throws IOException {
        assertThat(run("flexlora", clients(2), new Notes())).isEqualTo(run("flexlora", Runs.clients(2), new Notes()));
    }

    @Test
    void aResumedRunEndsAsIfNeverInterrupted(@TempDir Path folder) throws IOException {
        TinyFederation.Models uninterrupted = run("flexlora", clients(1), new Notes());
        for (int stage = 0; stage < 1 + ROUNDS; stage++) {
            int last = stage;
            RunListener stopping = new RunListener() {
                @Override
                public void phaseEnded(RoundContext context, PhaseResult result) throws IOException {
                    if (context.stage() == last) {
                        throw new IOException("stopped");
                    }
                }
            };
            assertThatThrownBy(() -> resume(folder, clients(1), stopping)).hasMessage("stopped");
        }
        assertThat(resume(folder, clients(1), RunListener.NONE)).isEqualTo(uninterrupted);

        assertRefused(folder, Runs.clients(2), "wanted this run's: [client-1, client-2]");
        assertRefused(folder, clients(2), "wanted this run's: [client-1 of rank 2, client-2]");
    }

    @Test
    void refusesRanksThatCannotBe() {
        assertThatThrownBy(() -> run("flexlora", clients(3), new Notes()))
                .isInstanceOf(BadInputException.class)
                .hasMessage("client client-1: rank 3, wanted at most the adapter's, 2");
        assertThatThrownBy(() -> clients(0))
                .isInstanceOf(BadInputException.class)
                .hasMessage("client client-1: rank 0, wanted at least 1");
        assertThatThrownBy(() -> run("fedlora-optimizer", clients(1), new Notes()))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "client client-1: rank 1, wanted a recipe that shares whole matrices for that: phase direction"
                                + " shares [A.direction]");
    }

    private static void assertRefused(Path folder, List<ClientData> clients, String message) {
        assertThatThrownBy(() -> resume(folder, clients, RunListener.NONE))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "the saved state is another run's: its clients is [client-1 of rank 1, client-2], " + message);
    }

    private static List<ClientData> clients(int rankOfTheFirst) {
        List<ClientData> clients = Runs.clients(2);
        clients.set(0, clients.get(0).withRank(rankOfTheFirst));
        return clients;
    }

    private static TinyFederation.Models run(String recipe, List<ClientData> clients, RunListener listener)
            throws IOException {
        return TinyFederation.run(model, Runs.settings(Runs.recipe(recipe), ROUNDS), clients, listener);
    }

    private static TinyFederation.Models resume(Path folder, List<ClientData> clients, RunListener listener)
            throws IOException {
        try (Federation federation = new Federation(model, Runs.settings(Runs.recipe("flexlora"), ROUNDS), clients)) {
            federation.run(listener, new StateFolder(folder));
            return TinyFederation.Models.of(federation);
        }
    }

    private static final class Notes implements RunListener {
        final List<SharedUpdate> updates = new ArrayList<>();
        final List<PhaseResult> results = new ArrayList<>();

        @Override
        public void updateSent(RoundContext context, SharedUpdate update) {
            updates.add(update);
        }

        @Override
        public void phaseEnded(RoundContext context, PhaseResult result) {
            results.add(result);
        }
    }
}
