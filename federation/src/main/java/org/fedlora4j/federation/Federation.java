package org.fedlora4j.federation;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.LanguageModel;

/**
 * A federation in one process: a server and its clients, which take turns on one model. The order in which clients are
 * given changes nothing. A run that failed goes on in a new federation, from its {@link StateFolder}.
 */
public final class Federation implements AutoCloseable {
    private static final Set<Part> MATRICES = Set.of(Part.A, Part.B);

    private final LanguageModel model;
    private final Settings settings;
    private final SortedMap<String, String> fingerprint;
    private final SortedMap<String, Client> clients = new TreeMap<>();

    /** By what they train. Their plans are costly to compile, so the clients share them. */
    private final Map<Set<Part>, Trainer> trainers = new HashMap<>();

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
     * @param seed of the adapter's initial values, the order of examples and dropout
     */
    public record Settings(
            LoraConfig lora, Recipe recipe, int rounds, int batchSize, int batchWindow, int padId, long seed) {
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
        }

        private Settings with(Recipe other) {
            return new Settings(lora, other, rounds, batchSize, batchWindow, padId, seed);
        }
    }

    /**
     * A federation before its first round. Under a pooled recipe it has one client, {@code all}, with the examples of those
     * given and all their steps.
     *
     * @param model stays the caller's; to be closed after the federation
     * @param data of at least one client; ids are unique
     */
    public Federation(LanguageModel model, Settings settings, List<ClientData> data) {
        this.model = model;
        List<ClientData> ordered = ordered(data);
        ordered.forEach(client -> requireRank(client, settings));
        boolean pooled = settings.recipe().pooled();
        this.settings = pooled ? settings.with(settings.recipe().withStepsTimes(ordered.size())) : settings;
        for (ClientData client : pooled ? List.of(ClientData.pooled(ordered)) : ordered) {
            clients.put(client.id(), new Client(client, this.settings));
        }
        AdapterState initial =
                AdapterState.initial(settings.lora(), ModuleShape.of(model.config(), settings.lora()), settings.seed());
        this.server = new Server(new SharedParts(initial, settings.recipe().magnitudeAxis()), new TreeMap<>());
        this.fingerprint = Fingerprint.of(model.config(), settings, ordered);
    }

    private static List<ClientData> ordered(List<ClientData> data) {
        SortedMap<String, ClientData> byId = new TreeMap<>();
        for (ClientData client : data) {
            if (byId.put(client.id(), client) != null) {
                throw new BadInputException("two clients are called " + client.id());
            }
        }
        if (byId.isEmpty()) {
            throw new BadInputException("no clients, wanted at least one");
        }
        return List.copyOf(byId.values());
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
            RoundContext last = context(stagesDone - 1);
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

    /** A client's own model: the global one, cut to the client's rank, with its private parts. */
    public AdapterState personal(String clientId) {
        Client client = clients.get(clientId);
        if (client == null) {
            throw new IllegalArgumentException("no client is called " + clientId + ", but " + clients.keySet());
        }
        return client.model(server.shared());
    }

    /**
     * The model of a client that was not in training: it runs the phases of the rounds and of the finish that keep something
     * private, as often as the run has them, with the global model as it is now, and for itself: what such a phase would
     * share is dropped. Where the recipe keeps nothing, it is the global model. Nothing of the federation changes.
     *
     * @param newcomer none of the federation's clients
     * @param listener is told of the newcomer's steps, and of nothing else
     */
    public AdapterState personalised(ClientData newcomer, RunListener listener) {
        if (clients.containsKey(newcomer.id())) {
            throw new BadInputException(
                    "new client " + newcomer.id() + ": in training already, wanted none of " + clients.keySet());
        }
        Client client = new Client(newcomer, settings);
        for (int stage = 0; stage < RoundContext.stages(settings.recipe(), settings.rounds()); stage++) {
            RoundContext context = context(stage);
            if (context.kind() != RoundContext.Kind.WARM_UP
                    && !context.phase().keep().isEmpty()) {
                client.train(
                        context,
                        sharedFor(context.phase()),
                        trainer(context.phase().train()),
                        listener);
            }
        }
        return client.model(server.shared());
    }

    /** Ids in order. */
    public Set<String> clientIds() {
        return Collections.unmodifiableSet(clients.keySet());
    }

    @Override
    public void close() {
        trainers.values().forEach(Trainer::close);
        trainers.clear();
    }

    @FunctionalInterface
    private interface Saver {
        void save(RunState state) throws IOException;
    }

    private void run(RunListener listener, Saver saver) throws IOException {
        int stages = RoundContext.stages(settings.recipe(), settings.rounds());
        while (stagesDone < stages) {
            RoundContext context = context(stagesDone);
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
        // (1) The server sends the shared parts.
        SharedParts shared = sharedFor(context.phase());
        List<SharedUpdate> updates = new ArrayList<>();
        for (Client client : clients.values()) {
            // (2) Each client trains the phase's parts, from the shared parts and what it keeps to itself.
            Trainer trainer = trainer(context.phase().train());
            // (3) It returns the phase's shared parts, its weight and metrics, and nothing else.
            SharedUpdate update = client.train(context, shared, trainer, listener);
            listener.updateSent(context, update);
            updates.add(update);
        }
        // (4) The server checks the updates, aggregates them and takes the server optimizer's step.
        return server.aggregate(context, updates);
    }

    /** A magnitude or direction of a pair that is cut is not one that the others' could be averaged with. */
    private static void requireRank(ClientData client, Settings settings) {
        if (client.hasFullRank()) {
            return;
        }
        int most = settings.lora().rank();
        if (client.rank() > most) {
            throw new BadInputException(
                    "client " + client.id() + ": rank " + client.rank() + ", wanted at most the adapter's, " + most);
        }
        if (settings.recipe().pooled()) {
            throw new BadInputException("client " + client.id() + ": rank " + client.rank()
                    + ", wanted none with a pooled recipe, which has one client in place of all");
        }
        for (Phase phase : settings.recipe().phases()) {
            if (!phase.share().stream().allMatch(Part::isMatrix)) {
                throw new BadInputException("client " + client.id() + ": rank " + client.rank()
                        + ", wanted a recipe that shares whole matrices for that: phase " + phase.name() + " shares "
                        + phase.share());
            }
        }
    }

    /** The shared parts. An adapter that can't be split yet is refused here. */
    private SharedParts sharedFor(Phase phase) {
        SharedParts shared = server.shared();
        shared.values(phase.train());
        return shared;
    }

    private RoundContext context(int stage) {
        return new RoundContext(settings.recipe(), settings.rounds(), settings.seed(), stage);
    }

    private Trainer trainer(Set<Part> parts) {
        Recipe recipe = settings.recipe();
        return trainers.computeIfAbsent(
                parts,
                trained ->
                        new Trainer(model, settings.lora(), trained, recipe.magnitudeAxis(), recipe.magnitudeStep()));
    }

    private RunState state() {
        SortedMap<String, PartValues> own = new TreeMap<>();
        clients.forEach((id, client) -> own.put(id, client.own().values()));
        own.values().removeIf(values -> values.parts().isEmpty());
        return new RunState(stagesDone, fingerprint, server.shared().values(MATRICES), own, server.optimizers(), round);
    }

    private void restore(RunState state) {
        Fingerprint.requireSame(state.settings(), fingerprint);
        state.requireFits(server.shared(), settings);
        server = new Server(server.shared().with(state.shared()), state.optimizers());
        clients.forEach((id, client) -> client.restore(state.clients().getOrDefault(id, PartValues.NONE)));
        stagesDone = state.stagesDone();
        round = new ArrayList<>(state.round());
    }
}
