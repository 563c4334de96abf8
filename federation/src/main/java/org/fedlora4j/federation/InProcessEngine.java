package org.fedlora4j.federation;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.LanguageModel;

/** Clients in this process, which take turns on one model. The order in which they are given changes nothing. */
public final class InProcessEngine implements Engine {
    private final Federation.Settings settings;
    private final SortedMap<String, String> fingerprint;
    private final SortedMap<String, Client> clients = new TreeMap<>();
    private final Trainers trainers;

    /**
     * Clients that have trained nothing yet. Under a pooled recipe there is one, {@code all}, with the examples of those
     * given and all their steps.
     *
     * @param model stays the caller's; to be closed after the engine
     * @param data of at least one client; ids are unique
     */
    public InProcessEngine(LanguageModel model, Federation.Settings settings, List<ClientData> data) {
        List<ClientData> ordered = ordered(data);
        ordered.forEach(client -> requireRank(client, settings));
        boolean pooled = settings.recipe().pooled();
        this.settings = pooled ? settings.with(settings.recipe().withStepsTimes(ordered.size())) : settings;
        for (ClientData client : pooled ? List.of(ClientData.pooled(ordered)) : ordered) {
            clients.put(client.id(), new Client(client, this.settings));
        }
        this.fingerprint = Fingerprint.of(model.config(), settings, ordered);
        this.trainers = new Trainers(model, this.settings);
    }

    /** As given, but that under a pooled recipe the one client has all steps. */
    public Federation.Settings settings() {
        return settings;
    }

    @Override
    public SortedSet<String> clientIds() {
        return Collections.unmodifiableSortedSet(new TreeSet<>(clients.keySet()));
    }

    @Override
    public SortedMap<String, String> fingerprint() {
        return fingerprint;
    }

    @Override
    public Updates train(RoundContext context, SharedParts shared, SortedSet<String> ids, RunListener listener)
            throws IOException {
        List<SharedUpdate> updates = new ArrayList<>();
        for (String id : ids) {
            SharedUpdate update = client(id).train(context, shared, trainers.of(context.phase()), listener);
            listener.updateSent(context, update);
            updates.add(update);
        }
        return Updates.of(updates);
    }

    @Override
    public SortedMap<String, PartValues> privateParts() {
        SortedMap<String, PartValues> own = new TreeMap<>();
        clients.forEach((id, client) -> own.put(id, client.own().values()));
        own.values().removeIf(values -> values.parts().isEmpty());
        return own;
    }

    @Override
    public void restore(SortedMap<String, PartValues> privateParts) {
        clients.forEach((id, client) -> client.restore(privateParts.getOrDefault(id, PartValues.NONE)));
    }

    @Override
    public AdapterState personal(String clientId, SharedParts shared) {
        return client(clientId).model(shared);
    }

    @Override
    public AdapterState personalised(ClientData newcomer, SharedParts shared, RunListener listener) {
        if (clients.containsKey(newcomer.id())) {
            throw new BadInputException(
                    "new client " + newcomer.id() + ": in training already, wanted none of " + clients.keySet());
        }
        Client client = new Client(newcomer, settings);
        for (int stage = 0; stage < RoundContext.stages(settings.recipe(), settings.rounds()); stage++) {
            RoundContext context = settings.context(stage);
            if (context.kind() != RoundContext.Kind.WARM_UP
                    && !context.phase().keep().isEmpty()) {
                shared.requireSplits(context.phase());
                client.train(context, shared, trainers.of(context.phase()), listener);
            }
        }
        return client.model(shared);
    }

    @Override
    public void close() {
        trainers.close();
    }

    private Client client(String id) {
        if (!clients.containsKey(id)) {
            throw new IllegalArgumentException("no client is called " + id + ", but " + clients.keySet());
        }
        return Objects.requireNonNull(clients.get(id));
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

    /** A magnitude or direction of a pair that is cut is not one that the others' could be averaged with. */
    private static void requireRank(ClientData client, Federation.Settings settings) {
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
}
