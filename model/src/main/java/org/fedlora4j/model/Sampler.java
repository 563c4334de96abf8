package org.fedlora4j.model;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Draws one row's tokens, by random numbers of its own: one for each token. */
final class Sampler {
    private static final long ROW_STEP = 1_000_003;

    private final Sampling sampling;
    private final SplittableRandom random;

    Sampler(Sampling sampling, int row) {
        this.sampling = sampling;
        this.random = new SplittableRandom(sampling.seed() * ROW_STEP + row);
    }

    /** The next token by its logits [V]. */
    int next(float[] logits) {
        return sampling.isGreedy()
                ? likeliest(logits)
                : Candidates.of(logits, sampling.temperature(), sampling.topP()).at(random.nextDouble());
    }

    /** The token with the largest logit, the first of equals. */
    static int likeliest(float[] logits) {
        int likeliest = 0;
        for (int token = 1; token < logits.length; token++) {
            likeliest = logits[token] > logits[likeliest] ? token : likeliest;
        }
        return likeliest;
    }

    /**
     * Tokens that may come next.
     *
     * @param weights of these tokens, in proportion to their probabilities
     * @param total the sum of the weights
     */
    record Candidates(int[] tokens, float[] weights, double total) {
        static Candidates of(float[] logits, double temperature, double topP) {
            float largest = logits[likeliest(logits)];
            int[] tokens = new int[logits.length];
            float[] weights = new float[logits.length];
            double total = 0;
            for (int token = 0; token < logits.length; token++) {
                tokens[token] = token;
                weights[token] = (float) Math.exp((logits[token] - largest) / temperature);
                total += weights[token];
            }
            Candidates all = new Candidates(tokens, weights, total);
            return topP == 1 ? all : all.cut(topP);
        }

        /** The fewest of all tokens that hold a part {@code topP} of the total, likeliest first. */
        private Candidates cut(double topP) {
            double wanted = topP * total;
            // All tokens below this together are at most the rest: there is no need to sort them.
            double least = (total - wanted) / tokens.length;
            // Descending weight in the high half (the bits of positive floats are ordered as they are), token in the
            // low.
            long[] keys = new long[tokens.length];
            int count = 0;
            for (int token : tokens) {
                if (weights[token] >= least) {
                    keys[count++] = (long) ~Float.floatToRawIntBits(weights[token]) << Integer.SIZE | token;
                }
            }
            Arrays.sort(keys, 0, count);
            int[] kept = new int[count];
            float[] keptWeights = new float[count];
            double sum = 0;
            int size = 0;
            while (size < count && sum < wanted) {
                kept[size] = (int) keys[size];
                keptWeights[size] = weights[kept[size]];
                sum += keptWeights[size++];
            }
            return new Candidates(Arrays.copyOf(kept, size), Arrays.copyOf(keptWeights, size), sum);
        }

        /** The token at a part of the total, 0 <= part < 1. */
        int at(double part) {
            double left = part * total;
            for (int i = 0; i < tokens.length - 1; i++) {
                left -= weights[i];
                if (left < 0) {
                    return tokens[i];
                }
            }
            return tokens[tokens.length - 1];
        }
    }
}
