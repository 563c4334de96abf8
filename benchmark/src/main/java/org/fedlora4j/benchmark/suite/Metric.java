package org.fedlora4j.benchmark.suite;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.Metrics;
import org.fedlora4j.benchmark.Result;
import org.jspecify.annotations.Nullable;

/** What methods are compared by: a score of one of the models that a run ends with. */
public record Metric(Model model, Score score) {
    /** Of which the scores are. */
    @SuppressWarnings("ImmutableEnumChecker") // The functions hold nothing.
    public enum Model {
        /** The model without an adapter, which no method changes. */
        BASE(Result.Scores::base, Result.ClientScores::base),
        /** The model with the shared adapter, on every client's tests. */
        GLOBAL(Result.Scores::global, Result.ClientScores::global),
        /** Each client's own model, on its own tests. */
        LOCAL(Result.Scores::local, Result.ClientScores::local);

        private final Function<Result.Scores, Metrics> ofAll;
        private final Function<Result.ClientScores, Metrics> ofClient;

        Model(Function<Result.Scores, Metrics> ofAll, Function<Result.ClientScores, Metrics> ofClient) {
            this.ofAll = ofAll;
            this.ofClient = ofClient;
        }

        /** For people to read. */
        public String title() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** In the order of tables. */
    @SuppressWarnings("ImmutableEnumChecker") // The functions hold nothing.
    public enum Score {
        ROUGE_L("ROUGE-L", true, 100, 2, Metrics::rougeL),
        LOSS("loss", false, 1, 4, Metrics::loss),
        TOKEN_ACCURACY("token accuracy", true, 100, 2, Metrics::tokenAccuracy),
        EXACT_MATCH("exact match", true, 100, 2, Metrics::exactMatch);

        private final String title;
        private final boolean higherIsBetter;
        private final double scale;
        private final int digits;
        private final Function<Metrics, @Nullable Double> value;

        Score(
                String title,
                boolean higherIsBetter,
                double scale,
                int digits,
                Function<Metrics, @Nullable Double> value) {
            this.title = title;
            this.higherIsBetter = higherIsBetter;
            this.scale = scale;
            this.digits = digits;
            this.value = value;
        }

        public String title() {
            return title;
        }

        public boolean higherIsBetter() {
            return higherIsBetter;
        }

        /** As it is shown: shares in points of 100. */
        public String format(double value) {
            return String.format(Locale.ROOT, "%." + digits + "f", scale * value);
        }

        /** Null where no text was generated. */
        public @Nullable Double of(Metrics metrics) {
            return value.apply(metrics);
        }
    }

    /** Every score of the models that methods make, the global model's first. */
    public static List<Metric> all() {
        return Stream.of(Model.GLOBAL, Model.LOCAL)
                .flatMap(model -> Stream.of(Score.values()).map(score -> new Metric(model, score)))
                .toList();
    }

    /** For people to read, such as {@code local ROUGE-L}. */
    public String title() {
        return model.title() + " " + score.title();
    }

    /** Whether a run has it: those of generated text may be missing. */
    public boolean isIn(Result result) {
        return score.of(model.ofAll.apply(result.scores())) != null;
    }

    /** Of a whole run, in which it is: the mean over clients, by their examples. */
    public double of(Result result) {
        return of(result.scores());
    }

    /** Of some of a run's clients: the mean over them, by their examples. */
    public double of(Result.Scores scores) {
        return Objects.requireNonNull(score.of(model.ofAll.apply(scores)));
    }

    /** Of one client of a run in which it is. */
    public double of(Result.ClientScores client) {
        return Objects.requireNonNull(score.of(model.ofClient.apply(client)));
    }
}
