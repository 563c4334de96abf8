package org.fedlora4j.grpc;

import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.grpc.wire.UpdateHeader;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/** One phase as the server sees it: whom it asked, who answered, who was heard of when. Guarded by its {@link Coordinator}. */
final class Turn {
    /** What an update tells besides values. */
    private static final Set<String> METRICS =
            Collections.unmodifiableSet(new TreeSet<>(List.of("loss", "padding", "tokens")));

    private final RoundContext context;
    private final SharedParts shared;
    private final String digest;
    private final PartValues wanted;
    private final SortedSet<String> clients;
    private final SortedMap<String, SharedUpdate> updates = new TreeMap<>();
    private final SortedMap<String, String> refused = new TreeMap<>();

    /** When each client was last heard of, in {@link System#nanoTime}; all of them when the turn began. */
    private final Map<String, Long> heard = new HashMap<>();

    /** When each client was first sent its task. */
    private final Map<String, Long> begun = new HashMap<>();

    private final Map<String, Integer> steps = new HashMap<>();

    Turn(RoundContext context, SharedParts shared, SortedSet<String> clients, long now) {
        this.context = context;
        this.shared = shared;
        this.digest = shared.digest();
        this.wanted = shared.values(context.phase().share());
        this.clients = clients;
        clients.forEach(client -> heard.put(client, now));
    }

    RoundContext context() {
        return context;
    }

    SharedParts shared() {
        return shared;
    }

    String digest() {
        return digest;
    }

    /** Values of the parts that the phase shares, for their shapes. */
    PartValues wanted() {
        return wanted;
    }

    SortedMap<String, SharedUpdate> updates() {
        return Collections.unmodifiableSortedMap(updates);
    }

    SortedMap<String, String> refused() {
        return Collections.unmodifiableSortedMap(refused);
    }

    boolean asks(String client) {
        return clients.contains(client) && !updates.containsKey(client) && !refused.containsKey(client);
    }

    /** Clients whose updates may still come. */
    SortedSet<String> missing() {
        SortedSet<String> missing = new TreeSet<>(clients);
        missing.removeIf(client -> !asks(client));
        return missing;
    }

    /** Those missing that weren't heard of for so long. */
    SortedSet<String> silent(Duration limit, long now) {
        SortedSet<String> silent = missing();
        silent.removeIf(client -> now - heard.getOrDefault(client, now) < limit.toNanos());
        return silent;
    }

    /** Those missing that have had their task for so long; a client that reports that it trains is among them too. */
    SortedSet<String> late(Duration limit, long now) {
        SortedSet<String> late = missing();
        late.removeIf(client -> now - begun.getOrDefault(client, now) < limit.toNanos());
        return late;
    }

    /** The client is sent its task. Again after a crash, and that counts for nothing: one that only crashes is lost. */
    void begun(String client, long now) {
        if (begun.putIfAbsent(client, now) == null) {
            heard.put(client, now);
        }
    }

    /** A client says that it trains, and how far it is. */
    void progress(String client, int step, long now) {
        heard(client, now);
        steps.put(client, Math.max(0, Math.min(step, context.phase().steps())));
    }

    /** The step that a client trains at. */
    int step(String client) {
        return steps.getOrDefault(client, 0);
    }

    /** How it is with a client that joined, see {@link Status.Client}. */
    String state(String client, GrpcEngine.Settings settings, long now) {
        if (updates.containsKey(client)) {
            return "sent";
        }
        if (refused.containsKey(client)) {
            return "refused";
        }
        if (silent(settings.roundTimeout(), now).contains(client)) {
            return "silent";
        }
        if (late(settings.phaseTimeout(), now).contains(client)) {
            return "late";
        }
        return asks(client) && steps.containsKey(client) ? "training" : "waiting";
    }

    void heard(String client, long now) {
        heard.put(client, now);
    }

    void accept(SharedUpdate update) {
        updates.put(update.clientId(), update);
    }

    void refuse(String client, String reason) {
        if (asks(client)) {
            refused.put(client, reason);
        }
    }

    /**
     * Why a client's update isn't wanted, before it is read.
     *
     * @param examples that the client joined with
     */
    Optional<String> objection(String client, UpdateHeader header, long examples) {
        if (!asks(client)) {
            return Optional.of(refused.getOrDefault(client, "not among the clients of " + label()));
        }
        if (!header.getShared().equals(digest)) {
            return Optional.of("trained from other shared parts than those of " + label());
        }
        if (header.getWeight() != examples) {
            return Optional.of("weight " + header.getWeight() + ", wanted the number of examples that the client joined"
                    + " with, " + examples);
        }
        return Optional.empty();
    }

    /** For people to read: {@code round 1/2, phase adapt}. */
    String label() {
        return context.label() + ", phase " + context.phase().name();
    }

    /**
     * The update that a client sent.
     *
     * @param normBound how far matrices and magnitudes may move, in norms of the adapter
     * @throws BadInputException if it isn't one that the phase wants
     */
    SharedUpdate update(String client, UpdateHeader header, PartValues values, double normBound) {
        if (!METRICS.equals(header.getMetricsMap().keySet())) {
            throw new BadInputException(
                    "metrics " + new TreeSet<>(header.getMetricsMap().keySet()) + ", wanted " + METRICS);
        }
        SharedUpdate update = new SharedUpdate(
                client,
                context.phase(),
                context.roundsBefore(),
                shared,
                header.getWeight(),
                header.getMetricsMap(),
                values);
        double moved = Math.sqrt(wanted.values().entrySet().stream()
                .filter(part -> !part.getKey().isDirection())
                .mapToDouble(part -> squaredDistance(part.getValue(), values.of(part.getKey())))
                .sum());
        double norm = Math.sqrt(shared.values(Set.of(Part.A, Part.B)).values().values().stream()
                .mapToDouble(modules -> squaredDistance(modules, Map.of()))
                .sum());
        if (moved > normBound * norm) {
            throw new BadInputException("moved by " + moved + ", wanted at most norm-bound times the adapter's norm, "
                    + normBound + " * " + norm);
        }
        return update;
    }

    /** The sum of squared differences over all modules; of a module that {@code to} lacks, to zero. */
    private static double squaredDistance(Map<String, Matrix> from, Map<String, Matrix> to) {
        double sum = 0;
        for (Map.Entry<String, Matrix> entry : from.entrySet()) {
            float[] values = entry.getValue().values();
            Matrix other = to.get(entry.getKey());
            for (int i = 0; i < values.length; i++) {
                double difference = values[i] - (other == null ? 0.0 : other.values()[i]);
                sum += difference * difference;
            }
        }
        return sum;
    }
}
