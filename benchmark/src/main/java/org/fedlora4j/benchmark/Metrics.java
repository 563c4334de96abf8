package org.fedlora4j.benchmark;

import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.fedlora4j.model.Score;
import org.jspecify.annotations.Nullable;

/**
 * How well a model does on some examples.
 *
 * @param loss mean cross-entropy over all target tokens, in nats
 * @param perplexity e to the loss
 * @param tokenAccuracy share of target tokens that were the most probable one
 * @param rouge1 mean F1 of ROUGE-1, with stemming; null if no text was generated
 * @param rouge2 likewise of ROUGE-2
 * @param rougeL likewise of ROUGE-L
 * @param exactMatch share of responses that equal the reference; null if no text was generated
 */
public record Metrics(
        double loss,
        double perplexity,
        double tokenAccuracy,
        @Nullable Double rouge1,
        @Nullable Double rouge2,
        @Nullable Double rougeL,
        @Nullable Double exactMatch,
        int examples) {

    /**
     * One example's scores.
     *
     * @param response of the generated text; null if none was generated
     */
    record ExampleScore(Score score, @Nullable ResponseScore response) {

        private static Function<ExampleScore, @Nullable Double> of(ToDoubleFunction<ResponseScore> value) {
            return example -> example.response == null ? null : value.applyAsDouble(example.response);
        }
    }

    /** Scores of a generated text: F1 of ROUGE, and whether it equals the reference, as 1 or 0. */
    record ResponseScore(double rouge1, double rouge2, double rougeL, double exactMatch) {}

    static Metrics of(List<ExampleScore> examples) {
        Score total = examples.stream().map(ExampleScore::score).reduce(Score.ZERO, Score::plus);
        double[] weights =
                IntStream.range(0, examples.size()).mapToDouble(i -> 1).toArray();
        return new Metrics(
                total.meanLoss(),
                total.perplexity(),
                total.accuracy(),
                meanIfAll(examples, ExampleScore.of(ResponseScore::rouge1), weights),
                meanIfAll(examples, ExampleScore.of(ResponseScore::rouge2), weights),
                meanIfAll(examples, ExampleScore.of(ResponseScore::rougeL), weights),
                meanIfAll(examples, ExampleScore.of(ResponseScore::exactMatch), weights),
                examples.size());
    }

    /**
     * The mean over clients.
     *
     * @param byExamples whether a client counts as much as it has examples, rather than as much as any other
     */
    static Metrics mean(List<Metrics> clients, boolean byExamples) {
        double[] weights = clients.stream()
                .mapToDouble(client -> byExamples ? client.examples : 1)
                .toArray();
        double loss = mean(clients, Metrics::loss, weights);
        return new Metrics(
                loss,
                Math.exp(loss),
                mean(clients, Metrics::tokenAccuracy, weights),
                meanIfAll(clients, Metrics::rouge1, weights),
                meanIfAll(clients, Metrics::rouge2, weights),
                meanIfAll(clients, Metrics::rougeL, weights),
                meanIfAll(clients, Metrics::exactMatch, weights),
                clients.stream().mapToInt(Metrics::examples).sum());
    }

    private static <T> @Nullable Double meanIfAll(
            List<T> items, Function<T, @Nullable Double> value, double[] weights) {
        return items.stream().map(value).anyMatch(Objects::isNull)
                ? null
                : mean(items, item -> Objects.requireNonNull(value.apply(item)), weights);
    }

    private static <T> double mean(List<T> items, ToDoubleFunction<T> value, double[] weights) {
        double sum = 0;
        double weight = 0;
        for (int i = 0; i < weights.length; i++) {
            sum += weights[i] * value.applyAsDouble(items.get(i));
            weight += weights[i];
        }
        return sum / weight;
    }
}
