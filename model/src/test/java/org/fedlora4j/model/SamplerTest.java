package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.stream.IntStream;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;

class SamplerTest {
    /** Softmax 0.1, 0.4, 0.2, 0.3. */
    private static final float[] LOGITS = {log(0.1), log(0.4), log(0.2), log(0.3)};

    @Test
    void temperature1IsTheModelsOwnDistribution() {
        assertProbabilities(Sampler.Candidates.of(LOGITS, 1, 1), new int[] {0, 1, 2, 3}, 0.1, 0.4, 0.2, 0.3);
    }

    @Test
    void temperatureIsAPowerOfTheProbabilities() {
        // Squares 0.01, 0.16, 0.04, 0.09 of 0.3; and far below 1 only the largest is left.
        assertProbabilities(
                Sampler.Candidates.of(LOGITS, 0.5, 1), new int[] {0, 1, 2, 3}, 1 / 30., 16 / 30., 4 / 30., 9 / 30.);
        assertProbabilities(Sampler.Candidates.of(LOGITS, 1e-300, 1), new int[] {0, 1, 2, 3}, 0, 1, 0, 0);
    }

    @Test
    void topPKeepsTheFewestThatHoldIt() {
        assertProbabilities(Sampler.Candidates.of(LOGITS, 1, 0.65), new int[] {1, 3}, 4 / 7., 3 / 7.);
        assertProbabilities(Sampler.Candidates.of(LOGITS, 1, 0.75), new int[] {1, 3, 2}, 4 / 9., 3 / 9., 2 / 9.);
        assertProbabilities(Sampler.Candidates.of(LOGITS, 1, 0.95), new int[] {1, 3, 2, 0}, 0.4, 0.3, 0.2, 0.1);
        assertProbabilities(Sampler.Candidates.of(LOGITS, 1, Double.MIN_VALUE), new int[] {1}, 1);
        // After the temperature, the likeliest holds 16 / 30.
        assertProbabilities(Sampler.Candidates.of(LOGITS, 0.5, 0.5), new int[] {1}, 1);
    }

    /** Against sorting everything. */
    @Test
    void topPOfManyTokens() {
        long seed = 20;
        Random random = new Random(seed);
        float[] logits = new float[2_000];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (3 * random.nextGaussian());
        }
        for (double topP : new double[] {0.01, 0.3, 0.9, 0.999}) {
            Sampler.Candidates all = Sampler.Candidates.of(logits, 1.3, 1);
            int[] order = IntStream.range(0, logits.length)
                    .boxed()
                    .sorted((a, b) -> Float.compare(all.weights()[b], all.weights()[a]))
                    .mapToInt(Integer::intValue)
                    .toArray();
            int size = 0;
            for (double sum = 0; sum < topP * all.total(); size++) {
                sum += all.weights()[order[size]];
            }
            assertThat(Sampler.Candidates.of(logits, 1.3, topP).tokens())
                    .as("seed %d, top-p %s", seed, topP)
                    .isEqualTo(IntStream.of(order).limit(size).toArray());
        }
    }

    @Test
    void aNumberFallsIntoATokensPart() {
        Sampler.Candidates candidates = Sampler.Candidates.of(LOGITS, 1, 1);
        assertThat(candidates.at(0)).isZero();
        assertThat(candidates.at(0.09)).isZero();
        assertThat(candidates.at(0.11)).isOne();
        assertThat(candidates.at(0.49)).isOne();
        assertThat(candidates.at(0.51)).isEqualTo(2);
        assertThat(candidates.at(Math.nextDown(1.0))).isEqualTo(3);
    }

    @Test
    void theSeedAndTheRowDecide() {
        Sampling sampling = new Sampling(1, 0.9, 5);
        int[] first = draw(sampling, 0);
        assertThat(draw(sampling, 0)).isEqualTo(first);
        assertThat(draw(sampling, 1)).isNotEqualTo(first);
        assertThat(draw(new Sampling(1, 0.9, 6), 0)).isNotEqualTo(first);
        assertThat(draw(Sampling.GREEDY, 3)).containsOnly(1);
    }

    @Test
    void everyTokenComesAsOftenAsItShould() {
        long seed = 3;
        Sampler sampler = new Sampler(new Sampling(1, 1, seed), 0);
        int[] counts = new int[4];
        for (int i = 0; i < 40_000; i++) {
            counts[sampler.next(LOGITS)]++;
        }
        // Four standard deviations are at most 392.
        for (int token = 0; token < 4; token++) {
            assertThat(counts[token])
                    .as("token %d, seed %d", token, seed)
                    .isCloseTo((int) Math.round(40_000 * Math.exp(LOGITS[token])), within(400));
        }
    }

    @Test
    void settingsOutsideTheirRangesAreRefused() {
        assertRefused("temperature: -0.1, wanted a number of at least 0", -0.1, 1);
        assertRefused("temperature: NaN, wanted a number of at least 0", Double.NaN, 1);
        assertRefused("temperature: Infinity, wanted a number of at least 0", Double.POSITIVE_INFINITY, 1);
        assertRefused("top-p: 0.0, wanted a number above 0 and at most 1", 1, 0);
        assertRefused("top-p: 1.5, wanted a number above 0 and at most 1", 1, 1.5);
        assertRefused("top-p: NaN, wanted a number above 0 and at most 1", 1, Double.NaN);
    }

    private static void assertRefused(String message, double temperature, double topP) {
        assertThatThrownBy(() -> new Sampling(temperature, topP, 0))
                .isInstanceOf(BadInputException.class)
                .hasMessage(message);
    }

    private static int[] draw(Sampling sampling, int row) {
        Sampler sampler = new Sampler(sampling, row);
        return IntStream.range(0, 50).map(i -> sampler.next(LOGITS)).toArray();
    }

    private static void assertProbabilities(Sampler.Candidates found, int[] tokens, double... probabilities) {
        assertThat(found.tokens()).isEqualTo(tokens);
        for (int i = 0; i < tokens.length; i++) {
            assertThat(found.weights()[i] / found.total()).isCloseTo(probabilities[i], within(1e-6));
        }
    }

    private static float log(double probability) {
        return (float) Math.log(probability);
    }
}
