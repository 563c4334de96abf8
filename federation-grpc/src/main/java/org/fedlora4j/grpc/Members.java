package org.fedlora4j.grpc;

import java.io.IOException;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;

/** Who may take part in a run, and who joined. */
final class Members {
    private final SortedSet<String> clients;
    private final BaseWeights weights;
    private final EventLog log;

    /** The number of examples of each client that joined. */
    private final SortedMap<String, Long> examples = new TreeMap<>();

    /** @param clients ids of all that may take part */
    Members(SortedSet<String> clients, BaseWeights weights, EventLog log) {
        this.clients = clients;
        this.weights = weights;
        this.log = log;
    }

    SortedSet<String> clients() {
        return clients;
    }

    /** Why a client isn't among those of the run; empty if it is. */
    Optional<String> stranger(String client) {
        return clients.contains(client)
                ? Optional.empty()
                : Optional.of("client '" + client + "' is unknown, wanted one of the server's clients");
    }

    /**
     * Why this client can't take part; empty if it can, and then it has joined.
     *
     * @param digest of its base weights, see {@link BaseWeights}
     */
    synchronized Optional<String> join(String client, long count, String digest) throws IOException {
        Optional<String> stranger = stranger(client);
        if (stranger.isPresent()) {
            return stranger;
        }
        Long before = examples.get(client);
        if (before != null && count != before) {
            return Optional.of(
                    "client " + client + " has " + count + " examples, wanted the " + before + " that it joined with");
        }
        Optional<String> others = weights.objection(client, digest);
        if (others.isPresent()) {
            return others;
        }
        examples.put(client, count);
        log.event(before == null ? "joined" : "joined again", "client", client, "examples", count, "weights", digest);
        return Optional.empty();
    }

    synchronized boolean hasJoined(String client) {
        return examples.containsKey(client);
    }

    /** The number of examples that a client joined with; 0 if it hasn't. */
    synchronized long examples(String client) {
        return examples.getOrDefault(client, 0L);
    }
}
