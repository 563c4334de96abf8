package org.fedlora4j.federation;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.lora.Part;

/**
 * What a phase of a round came to.
 *
 * @param phase its name
 * @param clients how training went, by client id
 * @param drift the mean resultant length by direction part, see {@link PhaseAggregation}; empty where no direction is
 *     shared
 * @param bytesUp the payload that one client sent: 4 bytes a value of the shared parts, without what lies beyond its rank;
 *     where clients differ in rank, the mean over them
 * @param bytesDown the payload that one client is sent in return, the new values of the same parts
 */
public record PhaseResult(
        String phase,
        SortedMap<String, Training> clients,
        SortedMap<Part, Double> drift,
        long bytesUp,
        long bytesDown) {
    /**
     * One client's training.
     *
     * @param loss mean over the targets of all steps, each before its update, in nats
     * @param tokens in all batches, padding not counted
     * @param padding tokens of padding, which were computed too
     */
    public record Training(double loss, long tokens, long padding) {
        private static final String LOSS = "loss";
        private static final String TOKENS = "tokens";
        private static final String PADDING = "padding";

        static Training of(SharedUpdate update) {
            Map<String, Double> metrics = update.metrics();
            return new Training(
                    metrics.getOrDefault(LOSS, Double.NaN),
                    metrics.getOrDefault(TOKENS, 0.0).longValue(),
                    metrics.getOrDefault(PADDING, 0.0).longValue());
        }

        /** As an update carries them. */
        Map<String, Double> metrics() {
            return Map.of(LOSS, loss, TOKENS, (double) tokens, PADDING, (double) padding);
        }
    }

    public PhaseResult {
        clients = Collections.unmodifiableSortedMap(new TreeMap<>(clients));
        drift = Collections.unmodifiableSortedMap(new TreeMap<>(drift));
    }

    /** The plain mean of the clients' losses. */
    public double loss() {
        return clients.values().stream().mapToDouble(Training::loss).average().orElse(Double.NaN);
    }

    /** Of all clients together. */
    public long tokens() {
        return clients.values().stream().mapToLong(Training::tokens).sum();
    }

    /** Of all clients together. */
    public long padding() {
        return clients.values().stream().mapToLong(Training::padding).sum();
    }
}
