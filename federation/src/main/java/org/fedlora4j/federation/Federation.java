package org.fedlora4j.federation;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * A federated run: a server, and clients wherever the {@link Engine} has them. A run that failed goes on in a new
 * federation, from its {@link StateFolder}.
 */
public final class Federation implements AutoCloseable {
    private static final Set<Part> MATRICES = Set.of(Part.A, Part.B);

    private final Settings settings;
    private final Engine engine;

    private Server server;
    private int stagesDone;
    private List<PhaseResult> round = new ArrayList<>();

    /**
     * What a run does.
     *
     * @param rounds between the recipe's warm-up and its finish, at least 0
     * @param batchSize examples of a client's optimizer step
     * @param batchWindow batches whose examples are sorted by length together, so that similar ones share a batch; 1 for
     *     none
     * @param padId of the tokens that batches are padded with
     * @param seed of the adapter's initial values, the order of examples, dropout and which clients a round has
     * @param participation the share of clients that each round has, above 0 and at most 1, see {@link
     *     RoundContext#participants}
     */
    public record Settings(
            LoraConfig lora,
            Recipe recipe,
            int rounds,
            int batchSize,
            int batchWindow,
            int padId,
            long seed,
            double participation) {
        public Settings {
            if (rounds < 0) {
                throw new BadInputException("rounds: " + rounds + ", wanted at least 0");
            }
            if (batchSize < 1) {
                throw new BadInputException("batch-size: " + batchSize + ", wanted at least 1");
            }
            if (batchWindow < 1) {
                throw new BadInputException("batch-window: " + batchWindow + ", wanted at least 1");
            }
            if (!(participation > 0 && participation <= 1)) {
                throw new BadInputException("participation: " + participation + ", wanted above 0 and at most 1");
            }
        }

        /** All clients in every round. */
        public Settings(
                LoraConfig lora, Recipe recipe, int rounds, int batchSize, int batchWindow, int padId, long seed) {
            this(lora, recipe, rounds, batchSize, batchWindow, padId, seed, 1);
        }

        /** Where a run is after so many phases. */
        public RoundContext context(int stage) {
            return new RoundContext(recipe, rounds, seed, stage);
        }

        /** The run's global model before training. */
        public SharedParts initial(LlamaConfig model) {
            return new SharedParts(
                    AdapterState.initial(lora, ModuleShape.of(model, lora), seed), recipe.magnitudeAxis());
        }

        Settings with(Recipe other) {
            return new Settings(lora, other, rounds, batchSize, batchWindow, padId, seed, participation);
        }
    }

    /**
     * A federation in one process before its first round, see {@link InProcessEngine}.
     *
     * @param model stays the caller's; to be closed after the federation
     * @param data of at least one client; ids are unique
     */
    public Federation(LanguageModel model, Settings settings, List<ClientData> data) {
        this(model.config(), new InProcessEngine(model, settings, data));
    }

    private Federation(LlamaConfig model, InProcessEngine engine) {
        this(model, engine.settings(), engine);
    }

    /**
     * A federation before its first round.
     *
     * @param model of the model's sizes; the model itself is where the clients are
     * @param engine is closed with the federation
     */
    public Federation(LlamaConfig model, Settings settings, Engine engine) {
        this.settings = settings;
        this.engine = engine;
        this.server = new Server(settings.initial(model), new TreeMap<>());
    }

    /** Runs to the end, in memory only. */
    public void run(RunListener listener) throws IOException {
        run(listener, state -> {});
    }

    /** Goes on from the latest state of {@code states}, if there is one, and saves there after every phase. */
    public void run(RunListener listener, StateFolder states) throws IOException {
        Optional<RunState> saved = states.loadLatest(listener::warning);
        if (saved.isPresent()) {
            restore(saved.get());
            RoundContext last = settings.context(stagesDone - 1);
            if (last.endsRound()) {
                listener.roundEnded(last, List.copyOf(round), this);
            }
        }
        run(listener, states::save);
    }

    /** The global model. */
    public AdapterState global() {
        return server.shared().adapter();
    }

    /** The global model, as clients are sent it. */
    public SharedParts shared() {
        return server.shared();
    }

    /**
     * A client's own model: the global one, cut to the client's rank, with its private parts.
     *
     * @throws UnsupportedOperationException if the engine's clients keep their models to themselves
     */
    public AdapterState personal(String clientId) {
        return engine.personal(clientId, server.shared());
    }

    /**
     * The model of a client that was not in training: it runs the phases of the rounds and of the finish that keep something
     * private, as often as the run has them, with the global model as it is now, and for itself: what such a phase would
     * share is dropped. Where the recipe keeps nothing, it is the global model. Nothing of the federation changes.
     *
     * @param newcomer none of the federation's clients
     * @param listener is told of the newcomer's steps, and of nothing else
     * @throws UnsupportedOperationException if the engine has no model to train
     */
    public AdapterState personalised(ClientData newcomer, RunListener listener) {
        return engine.personalised(newcomer, server.shared(), listener);
    }

    /** Ids in order. */
    public SortedSet<String> clientIds() {
        return engine.clientIds();
    }

    /** How many clients each round has. */
    public int clientsPerRound() {
        return RoundContext.participants(clientIds().size(), settings.participation());
    }

    @Override
    public void close() {
        engine.close();
    }

    @FunctionalInterface
    private interface Saver {
        void save(RunState state) throws IOException;
    }

    private void run(RunListener listener, Saver saver) throws IOException {
        int stages = RoundContext.stages(settings.recipe(), settings.rounds());
        while (stagesDone < stages) {
            RoundContext context = settings.context(stagesDone);
            listener.phaseStarted(context);
            PhaseResult result = runPhase(context, listener);
            if (context.startsRound()) {
                round.clear();
            }
            round.add(result);
            stagesDone++;
            saver.save(state());
            listener.phaseEnded(context, result);
            // (5) The next phase; (6) after the last one of a round comes evaluation, which is the listener's.
            if (context.endsRound()) {
                listener.roundEnded(context, List.copyOf(round), this);
            }
        }
    }

    private PhaseResult runPhase(RoundContext context, RunListener listener) throws IOException {
        SharedParts shared = server.shared();
        shared.requireSplits(context.phase());
        SortedSet<String> clients = context.participants(engine.clientIds(), settings.participation());
        // (1) The server sends the shared parts.
        // (2) Each client of the round trains the phase's parts, from the shared parts and what it keeps to itself.
        // (3) It returns the phase's shared parts, its weight and metrics, and nothing else.
        try (Updates updates = engine.train(context, shared, clients, listener)) {
            // (4) The server checks the updates, aggregates them and takes the server optimizer's step.
            return server.aggregate(context, updates);
        }
    }

    private RunState state() {
        return new RunState(
                stagesDone,
                engine.fingerprint(),
                server.shared().values(MATRICES),
                engine.privateParts(),
                server.optimizers(),
                round);
    }

    private void restore(RunState state) {
        Fingerprint.requireSame(state.settings(), engine.fingerprint());
        state.requireFits(server.shared(), settings);
        server = new Server(server.shared().with(state.shared()), state.optimizers());
        engine.restore(state.clients());
        stagesDone = state.stagesDone();
        round = new ArrayList<>(state.round());
    }
}
