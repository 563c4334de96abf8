package org.fedlora4j.benchmark.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Expected values are SciPy 1.17.1's, or computed by hand. */
class StatisticsTest {
    @Test
    void theDeviationIsTheSamples() {
        // Mean 4; squares of differences 4 + 0 + 4, over 2.
        assertThat(Statistics.standardDeviation(new double[] {2, 4, 6})).hasValue(2);
        assertThat(Statistics.standardDeviation(new double[] {2})).isEmpty();
        assertThat(Statistics.mean(new double[] {2, 4, 9})).isEqualTo(5);
    }

    @Test
    void signedRanksAreExact() {
        // Three of one sign: of 2^3 sign patterns one has no negative rank, and one no positive; 2 / 8.
        assertWilcoxon(0.25, 1, 2, 3);
        assertWilcoxon(0.25, -1, -2, -3);
        // scipy.stats.wilcoxon(d, method="exact")
        assertWilcoxon(0.25, 1.1, -0.4, 2.3, 0.7, -1.9, 3.0, 1.5, -0.2);
        assertWilcoxon(0.9375, 1, -2, 3, -4.5, 5, -6.5, 0.5);
    }

    @Test
    void zerosAreLeftOutAndTiesShareRanks() {
        // scipy.stats.wilcoxon of the differences without zeros, method=PermutationMethod(n_resamples=inf)
        assertWilcoxon(0.171875, 1, 1, -1, 2, 2, -3, 4, 5, 0, 0);
        assertWilcoxon(1, 0, 0, 0);
        // Ranks 1.5 and 1.5: of four patterns three have a sum of at most 1.5, twice that is more than 1.
        assertWilcoxon(1, 1, -1);
    }

    /** Counts the sign patterns one by one. */
    @Test
    void equalsEnumeration() {
        long seed = System.nanoTime();
        System.out.println("StatisticsTest seed " + seed);
        Random random = new Random(seed);
        for (int trial = 0; trial < 50; trial++) {
            double[] differences = IntStream.range(0, 1 + random.nextInt(10))
                    .mapToDouble(i -> random.nextInt(9) - 3)
                    .toArray();
            assertWilcoxon(enumerated(differences), differences);
        }
    }

    private static double enumerated(double[] all) {
        double[] differences = Arrays.stream(all).filter(d -> d != 0).toArray();
        int n = differences.length;
        double[] ranks = Arrays.stream(differences)
                .map(d -> {
                    long smaller = Arrays.stream(differences)
                            .filter(other -> Math.abs(other) < Math.abs(d))
                            .count();
                    long equal = Arrays.stream(differences)
                            .filter(other -> Math.abs(other) == Math.abs(d))
                            .count();
                    return smaller + (equal + 1) / 2.0;
                })
                .toArray();
        double positive = 0;
        for (int i = 0; i < n; i++) {
            positive += differences[i] > 0 ? ranks[i] : 0;
        }
        double least = Math.min(positive, n * (n + 1) / 2.0 - positive);
        int atMost = 0;
        for (int pattern = 0; pattern < 1 << n; pattern++) {
            double sum = 0;
            for (int i = 0; i < n; i++) {
                sum += (pattern >> i & 1) == 1 ? ranks[i] : 0;
            }
            atMost += sum <= least ? 1 : 0;
        }
        return Math.min(1, 2.0 * atMost / (1 << n));
    }

    @Test
    void manyPairsAreNormal() {
        // scipy.stats.wilcoxon(d, method="approx", correction=True); 118 aren't zero, and there are ties.
        double[] differences = IntStream.rangeClosed(1, 120)
                .mapToDouble(i -> (37 * i % 101 - 40) / 10.0)
                .toArray();
        assertWilcoxon(0.0005503176037109786, differences);
    }

    @Test
    void theTTestIsPaired() {
        // scipy.stats.ttest_1samp(d, 0)
        assertThat(Statistics.pairedT(new double[] {0.01, 0.03, 0.02}).orElseThrow())
                .isCloseTo(0.07417990022744854, within(1e-12));
        assertThat(Statistics.pairedT(new double[] {1, -2, 4, 0.5}).orElseThrow())
                .isCloseTo(0.5285171863688882, within(1e-12));
        assertThat(Statistics.pairedT(new double[] {1})).isEmpty();
        assertThat(Statistics.pairedT(new double[] {1, 1, 1})).isEmpty();
    }

    @Test
    void holmMultipliesByThoseNotYetRejected() {
        // In order 0.01, 0.02, 0.03, 0.6: times 4, 3, 2, 1; the third, 0.06, is as large as the second.
        assertThat(Statistics.holm(new double[] {0.03, 0.01, 0.6, 0.02}))
                .containsExactly(new double[] {0.06, 0.04, 0.6, 0.06}, within(1e-12));
        // 0.05 x 3 = 0.15, 0.06 x 2 = 0.12 but no less than 0.15, 0.9.
        assertThat(Statistics.holm(new double[] {0.06, 0.05, 0.9}))
                .containsExactly(new double[] {0.15, 0.15, 0.9}, within(1e-12));
        assertThat(Statistics.holm(new double[] {0.7, 0.8})).containsExactly(1, 1);
    }

    private static void assertWilcoxon(double expected, double... differences) {
        assertThat(Statistics.wilcoxonSignedRank(differences))
                .as(Arrays.toString(differences))
                .isCloseTo(expected, within(1e-9));
    }
}
