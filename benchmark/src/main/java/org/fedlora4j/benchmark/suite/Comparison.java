package org.fedlora4j.benchmark.suite;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.fedlora4j.benchmark.Result;

/**
 * Ours against one rival by one metric, with the seeds that both have.
 *
 * @param gain the mean over seeds of what ours scores more or, where lower is better, less
 * @param seeds that both have
 * @param pairs of a client and a seed
 * @param wilcoxon p of the signed-rank test over these pairs
 * @param wilcoxonHolm the same, corrected for the number of rivals
 * @param pairedT p of the t-test over the seeds' scores; none with a single seed
 * @param pairedTHolm the same, corrected
 */
public record Comparison(
        Metric metric,
        String rival,
        double gain,
        int seeds,
        int pairs,
        double wilcoxon,
        double wilcoxonHolm,
        OptionalDouble pairedT,
        OptionalDouble pairedTHolm,
        Verdict verdict) {
    /** Below it a corrected p-value counts. */
    public static final double SIGNIFICANT = 0.05;

    /** What may be said of ours. */
    public enum Verdict {
        BETTER("better"),
        WORSE("worse"),
        NO_DIFFERENCE_SHOWN("no difference shown");

        private final String words;

        Verdict(String words) {
            this.words = words;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    /** The differences that tests are made of, in favour of ours where positive. */
    private record Differences(String rival, double[] bySeed, double[] byPair) {}

    /** Ours against each rival that has results, in the suite's order; the correction is for their number. */
    public static List<Comparison> of(SuiteResults results, Setup setup, Metric metric) {
        SortedMap<Integer, Result> ours = results.of(setup, results.suite().ours());
        List<Differences> all = results.suite().rivals().stream()
                .map(rival -> differences(rival, ours, results.of(setup, rival), metric))
                .filter(differences -> differences.bySeed.length > 0)
                .toList();
        double[] wilcoxon = all.stream()
                .mapToDouble(rival -> Statistics.wilcoxonSignedRank(rival.byPair))
                .toArray();
        double[] wilcoxonHolm = Statistics.holm(wilcoxon);
        List<OptionalDouble> pairedT =
                all.stream().map(rival -> Statistics.pairedT(rival.bySeed)).toList();
        // A test that can't be made shows nothing, as p = 1 does.
        double[] pairedTHolm =
                Statistics.holm(pairedT.stream().mapToDouble(p -> p.orElse(1)).toArray());
        List<Comparison> comparisons = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            Differences rival = all.get(i);
            comparisons.add(new Comparison(
                    metric,
                    rival.rival,
                    Statistics.mean(rival.bySeed),
                    rival.bySeed.length,
                    rival.byPair.length,
                    wilcoxon[i],
                    wilcoxonHolm[i],
                    pairedT.get(i),
                    pairedT.get(i).isPresent() ? OptionalDouble.of(pairedTHolm[i]) : OptionalDouble.empty(),
                    verdict(rival.bySeed, wilcoxonHolm[i])));
        }
        return comparisons;
    }

    /**
     * A difference is claimed where the corrected signed-rank test shows one and every seed agrees about its direction.
     * The test alone would be too bold, for the clients of one seed share a model; nor can one seed stand for others.
     */
    private static Verdict verdict(double[] bySeed, double wilcoxonHolm) {
        boolean shown = wilcoxonHolm < SIGNIFICANT && bySeed.length > 1;
        if (shown && all(bySeed, 1)) {
            return Verdict.BETTER;
        }
        return shown && all(bySeed, -1) ? Verdict.WORSE : Verdict.NO_DIFFERENCE_SHOWN;
    }

    private static boolean all(double[] differences, int sign) {
        for (double difference : differences) {
            if (Math.signum(difference) != sign) {
                return false;
            }
        }
        return true;
    }

    private static Differences differences(
            String rival, SortedMap<Integer, Result> ours, SortedMap<Integer, Result> theirs, Metric metric) {
        double sign = metric.score().higherIsBetter() ? 1 : -1;
        List<Double> bySeed = new ArrayList<>();
        List<Double> byPair = new ArrayList<>();
        new TreeMap<>(ours).forEach((seed, our) -> {
            Result their = theirs.get(seed);
            if (their == null) {
                return;
            }
            bySeed.add(sign * (metric.of(our) - metric.of(their)));
            Map<String, Result.ClientScores> clients = their.scores().clients().stream()
                    .collect(Collectors.toMap(Result.ClientScores::id, Function.identity()));
            // The same seed and data make the same clients.
            our.scores()
                    .clients()
                    .forEach(client -> byPair.add(
                            sign * (metric.of(client) - metric.of(Objects.requireNonNull(clients.get(client.id()))))));
        });
        return new Differences(rival, toArray(bySeed), toArray(byPair));
    }

    private static double[] toArray(List<Double> values) {
        return values.stream().mapToDouble(value -> value).toArray();
    }
}
