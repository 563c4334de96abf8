package org.fedlora4j.benchmark;

import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.apache.commons.math3.stat.descriptive.moment.StandardDeviation;
import org.jspecify.annotations.Nullable;

/**
 * How unequal a model's scores on several clients are: of each score of {@link Metrics} the standard deviation over
 * clients, with n - 1. Null with a single client, and of generated text where there was none.
 */
public record Spread(
        @Nullable Double loss,
        @Nullable Double perplexity,
        @Nullable Double tokenAccuracy,
        @Nullable Double rouge1,
        @Nullable Double rouge2,
        @Nullable Double rougeL,
        @Nullable Double exactMatch) {

    static Spread of(List<Metrics> clients) {
        return new Spread(
                deviation(clients, Metrics::loss),
                deviation(clients, Metrics::perplexity),
                deviation(clients, Metrics::tokenAccuracy),
                deviation(clients, Metrics::rouge1),
                deviation(clients, Metrics::rouge2),
                deviation(clients, Metrics::rougeL),
                deviation(clients, Metrics::exactMatch));
    }

    /** Of one score. */
    static @Nullable Double deviation(List<Metrics> clients, Function<Metrics, @Nullable Double> score) {
        double[] values = clients.stream()
                .map(score)
                .filter(Objects::nonNull)
                .mapToDouble(Double::doubleValue)
                .toArray();
        return values.length < 2 || values.length < clients.size() ? null : new StandardDeviation().evaluate(values);
    }
}
