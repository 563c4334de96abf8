package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A client by itself, with a saved state of its own. */
class ClientSessionTest {
    private static final ClientData DATA = Runs.clients(1).get(0);

    @TempDir
    static Path temporary;

    @AutoClose
    private static LanguageModel model;

    private static Federation.Settings settings;

    /** What the server sends at the beginning of each phase of an undisturbed run with one client. */
    private static List<SharedParts> shared;

    private static List<PartValues> sent;
    private static AdapterState own;

    @TempDir
    Path folder;

    private int steps;

    @BeforeAll
    static void runUndisturbed() throws IOException {
        model = TinyFederation.open(temporary.resolve("model"));
        settings = TinyFederation.settings(1);
        shared = new ArrayList<>();
        sent = new ArrayList<>();
        RunListener listener = new RunListener() {
            @Override
            public void updateSent(RoundContext context, SharedUpdate update) {
                sent.add(update.values());
            }
        };
        try (InProcessEngine engine = new InProcessEngine(model, settings, List.of(DATA));
                Federation federation = new Federation(model.config(), settings, new Noting(engine))) {
            federation.run(listener);
            own = federation.personal(DATA.id());
        }
    }

    /** Killed after every phase, and asked for every phase three times, twice by a client that was started anew. */
    @Test
    void sendsTheSameAgainAndTrainsOnce() throws IOException {
        for (int stage = 0; stage < shared.size(); stage++) {
            try (ClientSession session = session()) {
                assertThat(train(session, stage)).isEqualTo(sent.get(stage));
                assertThat(train(session, stage)).isEqualTo(sent.get(stage));
            }
            try (ClientSession session = session()) {
                assertThat(train(session, stage)).isEqualTo(sent.get(stage));
            }
        }
        assertThat(steps).isEqualTo(2 * shared.size());
        try (ClientSession session = session()) {
            assertThat(session.model(after(shared.size()))).isEqualTo(own);
        }
    }

    /** In the second step of every phase; what it had learnt in the first is lost, and learnt again. */
    @Test
    void killedWithinAPhase() throws IOException {
        RunListener kill = new RunListener() {
            @Override
            public void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
                if (step == 2) {
                    throw new IllegalStateException("killed");
                }
            }
        };
        for (int stage = 0; stage < shared.size(); stage++) {
            int at = stage;
            try (ClientSession session = session()) {
                assertThatThrownBy(() -> session.train(settings.context(at), shared.get(at), kill))
                        .hasMessage("killed");
                // In the same process too: a listener's failure must not leave half a phase behind.
                assertThat(train(session, stage)).isEqualTo(sent.get(stage));
            }
        }
    }

    /** The server lost its latest state and goes on from the one before. */
    @Test
    void theServerGoesBackByOnePhase() throws IOException {
        try (ClientSession session = session()) {
            for (int stage = 0; stage < shared.size(); stage++) {
                train(session, stage);
                if (stage > 0) {
                    assertThat(train(session, stage - 1)).isEqualTo(sent.get(stage - 1));
                    assertThat(train(session, stage)).isEqualTo(sent.get(stage));
                }
            }
            assertThat(session.model(after(shared.size()))).isEqualTo(own);
        }
        assertThat(steps).isEqualTo(2 * shared.size());
    }

    /** It went back, and has other shared parts than before: another client was lost or came back. */
    @Test
    void otherSharedPartsAreTrainedAnewFromWhatWasKeptBefore() throws IOException {
        try (ClientSession session = session()) {
            for (int stage = 0; stage <= 3; stage++) {
                train(session, stage);
            }
            PartValues other = session.train(settings.context(3), shared.get(5), RunListener.NONE)
                    .values();
            assertThat(other.parts()).isEmpty();
            AdapterState astray = session.model(shared.get(4));
            // And back again: as if it had never been asked for the other.
            assertThat(train(session, 3)).isEqualTo(sent.get(3));
            assertThat(session.model(shared.get(4))).isNotEqualTo(astray);
            for (int stage = 4; stage < shared.size(); stage++) {
                assertThat(train(session, stage)).isEqualTo(sent.get(stage));
            }
            assertThat(session.model(after(shared.size()))).isEqualTo(own);
        }
    }

    @Test
    void tooFarBackIsRefused() throws IOException {
        try (ClientSession session = session()) {
            for (int stage = 0; stage <= 3; stage++) {
                train(session, stage);
            }
            assertThatThrownBy(() -> train(session, 0))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("client-1: asked for phase 0 of the run, wanted one after 1: what was kept before is"
                            + " gone");
        }
    }

    /** A client that is drawn late begins late, and may be asked again. */
    @Test
    void beginsInAnyPhase() throws IOException {
        try (ClientSession session = session()) {
            PartValues first = train(session, 3);
            session.train(settings.context(3), shared.get(5), RunListener.NONE);
            assertThat(train(session, 3)).isEqualTo(first);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"client.json", "own.safetensors", "sent.safetensors", "SHA256SUMS"})
    void aDamagedStateIsRefused(String file) throws IOException {
        try (ClientSession session = session()) {
            for (int stage = 0; stage <= 4; stage++) {
                train(session, stage);
            }
        }
        Path damaged = folder.resolve("state/000004").resolve(file);
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[bytes.length / 2] ^= 1;
        Files.write(damaged, bytes);
        assertThatThrownBy(this::session)
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(folder.resolve("state/000004") + ": damaged (")
                .hasMessageContaining("wanted the state that the client saved");
        Files.delete(damaged);
        assertThatThrownBy(this::session).hasMessageContaining("damaged");
    }

    /** Of the states that it doesn't go on from, only those that it goes back to need be whole. */
    @Test
    void aDamagedEarlierStateIsRefusedWhenItIsNeeded() throws IOException {
        try (ClientSession session = session()) {
            for (int stage = 0; stage <= 4; stage++) {
                train(session, stage);
            }
        }
        Files.delete(folder.resolve("state/000003/own.safetensors"));
        try (ClientSession session = session()) {
            assertThat(train(session, 4)).isEqualTo(sent.get(4));
            assertThatThrownBy(() -> session.train(settings.context(4), shared.get(5), RunListener.NONE))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith(folder.resolve("state/000003") + ": damaged (");
            assertThat(train(session, 5)).isEqualTo(sent.get(5));
        }
    }

    @Test
    void anotherRunsStateIsRefused() throws IOException {
        try (ClientSession session = session()) {
            train(session, 0);
        }
        Federation.Settings other = new Federation.Settings(
                settings.lora(), settings.recipe(), 2, Runs.BATCH, Runs.WINDOW, Runs.PADDING, 12);
        assertThatThrownBy(() -> new ClientSession(model, other, DATA, folder.resolve("state")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("its seed is 11, wanted this run's: 12");
    }

    @Test
    void aPooledRecipeIsRefused() throws IOException {
        Federation.Settings pooled = Runs.settings(Runs.recipe("centralized"), 1);
        assertThatThrownBy(() -> new ClientSession(model, pooled, DATA, folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("centralized is pooled");
    }

    @Test
    void keepsThreeStates() throws IOException {
        try (ClientSession session = session()) {
            for (int stage = 0; stage <= 4; stage++) {
                train(session, stage);
            }
        }
        try (Stream<Path> states = Files.list(folder.resolve("state"))) {
            assertThat(states.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder("000002", "000003", "000004");
        }
    }

    /** Clients that the server never has in its hands: three sessions, killed after every phase. */
    @Test
    void anEngineOfSessionsIsTheInProcessOne() throws IOException {
        TinyFederation.Models wanted = TinyFederation.run(model, settings, Runs.clients(3), RunListener.NONE);
        SessionEngine engine = new SessionEngine();
        try (Federation federation = new Federation(model.config(), settings, engine)) {
            federation.run(RunListener.NONE);
            assertThat(TinyFederation.Models.of(federation)).isEqualTo(wanted);
            assertThatThrownBy(() -> federation.personalised(DATA, RunListener.NONE))
                    .isInstanceOf(UnsupportedOperationException.class);
        }
    }

    private PartValues train(ClientSession session, int stage) throws IOException {
        RunListener counting = new RunListener() {
            @Override
            public void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
                steps++;
            }
        };
        return session.train(settings.context(stage), shared.get(stage), counting)
                .values();
    }

    private ClientSession session() throws IOException {
        return new ClientSession(model, settings, DATA, folder.resolve("state"));
    }

    /** The shared parts after so many phases; the last phase shares nothing, so the last ones were sent. */
    private static SharedParts after(int stages) {
        assertThat(sent.get(stages - 1).parts()).isEmpty();
        return shared.get(stages - 1);
    }

    /** Notes what is sent to clients. */
    private record Noting(InProcessEngine engine) implements Engine {
        @Override
        public SortedSet<String> clientIds() {
            return engine.clientIds();
        }

        @Override
        public SortedMap<String, String> fingerprint() {
            return engine.fingerprint();
        }

        @Override
        public Updates train(RoundContext context, SharedParts parts, SortedSet<String> clients, RunListener listener)
                throws IOException {
            shared.add(parts);
            return engine.train(context, parts, clients, listener);
        }

        @Override
        public SortedMap<String, PartValues> privateParts() {
            return engine.privateParts();
        }

        @Override
        public void restore(SortedMap<String, PartValues> privateParts) {
            engine.restore(privateParts);
        }

        @Override
        public AdapterState personal(String clientId, SharedParts parts) {
            return engine.personal(clientId, parts);
        }

        @Override
        public void close() {
            // The engine is closed by whom it is lent from.
        }
    }

    /** Every message is a copy, and a client lives for one phase. */
    private final class SessionEngine implements Engine {
        private final List<ClientData> clients = Runs.clients(3);

        @Override
        public SortedSet<String> clientIds() {
            SortedSet<String> ids = new TreeSet<>();
            clients.forEach(client -> ids.add(client.id()));
            return ids;
        }

        @Override
        public SortedMap<String, String> fingerprint() {
            return Fingerprint.of(model.config(), settings);
        }

        @Override
        public Updates train(RoundContext context, SharedParts parts, SortedSet<String> ids, RunListener listener)
                throws IOException {
            List<SharedUpdate> updates = new ArrayList<>();
            for (ClientData client : clients) {
                try (ClientSession session = open(client)) {
                    SharedUpdate update = session.train(context, copy(parts), listener);
                    updates.add(new SharedUpdate(
                            client.id(),
                            context.phase(),
                            context.roundsBefore(),
                            parts,
                            update.weight(),
                            update.metrics(),
                            TinyFederation.copy(update.values())));
                }
            }
            return Updates.of(updates);
        }

        @Override
        public SortedMap<String, PartValues> privateParts() {
            return Collections.emptySortedMap();
        }

        @Override
        public void restore(SortedMap<String, PartValues> privateParts) {
            assertThat(privateParts).isEmpty();
        }

        @Override
        public AdapterState personal(String clientId, SharedParts parts) {
            ClientData data = clients.stream()
                    .filter(client -> client.id().equals(clientId))
                    .findFirst()
                    .orElseThrow();
            try (ClientSession session = open(data)) {
                return session.model(parts);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            // Nothing is open between phases.
        }

        private ClientSession open(ClientData client) throws IOException {
            return new ClientSession(model, settings, client, folder.resolve(client.id()));
        }

        private SharedParts copy(SharedParts parts) {
            AdapterState zeros = AdapterState.initial(Runs.LORA, ModuleShape.of(model.config(), Runs.LORA), 99);
            PartValues values = parts.values(Set.of(Part.A, Part.B));
            return new SharedParts(zeros, parts.axis()).with(TinyFederation.copy(values));
        }
    }
}
