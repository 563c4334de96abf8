package org.fedlora4j.benchmark.suite;

import java.util.Arrays;
import java.util.Comparator;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.apache.commons.math3.stat.descriptive.moment.StandardDeviation;
import org.apache.commons.math3.stat.inference.TestUtils;
import org.apache.commons.math3.stat.ranking.NaturalRanking;
import org.apache.commons.math3.stat.ranking.TiesStrategy;

/** Tests of paired differences, two-sided, and their correction where there are several. */
public final class Statistics {
    /** Up to so many pairs the signed-rank test is exact; its work grows with the cube. */
    private static final int EXACT_PAIRS = 100;

    private Statistics() {}

    public static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    /** The sample's standard deviation (n - 1); none of a single value. */
    public static OptionalDouble standardDeviation(double[] values) {
        return values.length < 2 ? OptionalDouble.empty() : OptionalDouble.of(new StandardDeviation().evaluate(values));
    }

    /**
     * The p-value of Wilcoxon's signed-rank test. Zeros are left out, as Wilcoxon did (Biometrics Bulletin 1, 1945); equal
     * sizes share their mean rank, and the distribution is that of these very ranks. Up to 100 pairs it is exact; for more
     * it is normal, with the variance corrected for ties and by half a rank for continuity.
     *
     * <p>Commons Math has this test too, but counts zeros as negative, ignores ties in its exact distribution, in which p
     * can exceed 1, and corrects for continuity away from the mean.
     *
     * @return 1 where all differences are zero
     */
    public static double wilcoxonSignedRank(double[] differences) {
        double[] nonZero = Arrays.stream(differences).filter(d -> d != 0).toArray();
        if (nonZero.length == 0) {
            return 1;
        }
        double[] sizes = Arrays.stream(nonZero).map(Math::abs).toArray();
        double[] ranks = new NaturalRanking(TiesStrategy.AVERAGE).rank(sizes);
        double positive = IntStream.range(0, ranks.length)
                .filter(i -> nonZero[i] > 0)
                .mapToDouble(i -> ranks[i])
                .sum();
        double smaller = Math.min(positive, Arrays.stream(ranks).sum() - positive);
        return Math.min(1, 2 * (ranks.length <= EXACT_PAIRS ? exact(ranks, smaller) : normal(ranks, smaller)));
    }

    /** The probability that a sum of ranks, each taken or not with equal probability, is at most as large. */
    private static double exact(double[] ranks, double sum) {
        // Mean ranks of ties are halves, so twice a rank is whole.
        int[] doubled = Arrays.stream(ranks)
                .mapToInt(rank -> (int) Math.round(2 * rank))
                .toArray();
        double[] probability = new double[Arrays.stream(doubled).sum() + 1];
        probability[0] = 1;
        for (int rank : doubled) {
            for (int s = probability.length - 1; s >= 0; s--) {
                probability[s] = (probability[s] + (s >= rank ? probability[s - rank] : 0)) / 2;
            }
        }
        return Arrays.stream(probability).limit(Math.round(2 * sum) + 1).sum();
    }

    /** The sum of signed ranks has variance sum r^2 / 4, with ties or without. */
    private static double normal(double[] ranks, double sum) {
        double mean = Arrays.stream(ranks).sum() / 2;
        double deviation =
                Math.sqrt(Arrays.stream(ranks).map(rank -> rank * rank).sum()) / 2;
        return new NormalDistribution(null, 0, 1).cumulativeProbability((sum - mean + 0.5) / deviation);
    }

    /**
     * The p-value of the paired t-test, that the mean difference is zero.
     *
     * @return none where there are fewer than two differences, or all are the same: they have no spread to measure by
     */
    public static OptionalDouble pairedT(double[] differences) {
        boolean spread = Arrays.stream(differences).distinct().count() > 1;
        return spread ? OptionalDouble.of(TestUtils.tTest(0, differences)) : OptionalDouble.empty();
    }

    /**
     * p-values corrected for their number (Holm, Scandinavian Journal of Statistics 6, 1979): the i-th smallest of m times
     * m - i + 1, at least as large as those before it and at most 1.
     *
     * @return in the order given
     */
    public static double[] holm(double[] pValues) {
        int[] order = IntStream.range(0, pValues.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> pValues[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        double[] corrected = new double[pValues.length];
        double largest = 0;
        for (int i = 0; i < order.length; i++) {
            largest = Math.max(largest, Math.min(1, (order.length - i) * pValues[order[i]]));
            corrected[order[i]] = largest;
        }
        return corrected;
    }
}
