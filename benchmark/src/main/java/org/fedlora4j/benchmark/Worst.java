package org.fedlora4j.benchmark;

import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The clients that a model serves worst.
 *
 * @param loss the client with the highest
 * @param rougeL the client with the lowest; null if no text was generated
 */
public record Worst(Client loss, @Nullable Client rougeL) {
    /** A client and its score; of several with the same score, the first by id. */
    public record Client(String id, double value) {}

    /**
     * The worst of some clients.
     *
     * @param ids at least one, in order
     * @param scores of each
     */
    static Worst of(List<String> ids, List<Metrics> scores) {
        return new Worst(
                Objects.requireNonNull(first(ids, scores, Metrics::loss, Comparator.reverseOrder())),
                first(ids, scores, Metrics::rougeL, Comparator.naturalOrder()));
    }

    private static @Nullable Client first(
            List<String> ids,
            List<Metrics> scores,
            Function<Metrics, @Nullable Double> score,
            Comparator<Double> order) {
        Client first = null;
        for (int i = 0; i < ids.size(); i++) {
            Double value = score.apply(scores.get(i));
            if (value == null) {
                return null;
            }
            if (first == null || order.compare(value, first.value) < 0) {
                first = new Client(ids.get(i), value);
            }
        }
        return first;
    }
}
