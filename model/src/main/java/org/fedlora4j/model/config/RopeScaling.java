package org.fedlora4j.model.config;

import org.fedlora4j.common.BadInputException;

/**
 * How a model stretches its rotary position embedding (RoFormer, arXiv 2104.09864) to longer texts.
 *
 * <p>Frequencies are computed in the float32 arithmetic of {@code transformers}' {@code modeling_rope_utils.py}: at
 * position 8,000 a difference in the last bit of a frequency already moves an angle by 5e-4.
 */
public sealed interface RopeScaling {
    /** The frequencies as they are. */
    record None() implements RopeScaling {
        @Override
        public double[] inverseFrequencies(int headSize, double theta) {
            return unscaled(headSize, theta);
        }
    }

    /** Every frequency divided by a factor: position interpolation (arXiv 2306.15595). */
    record Linear(double factor) implements RopeScaling {
        public Linear {
            requirePositive("factor", factor);
        }

        @Override
        public double[] inverseFrequencies(int headSize, double theta) {
            double[] frequencies = unscaled(headSize, theta);
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] = (float) frequencies[i] / (float) factor;
            }
            return frequencies;
        }
    }

    /**
     * LLaMA 3.1's scaling: waves longer than {@code originalMaxPositions / lowFrequencyFactor} are stretched by the
     * factor, those shorter than {@code originalMaxPositions / highFrequencyFactor} are kept, those between are
     * interpolated.
     */
    record Llama3(double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalMaxPositions)
            implements RopeScaling {
        public Llama3 {
            requirePositive("factor", factor);
            requirePositive("low_freq_factor", lowFrequencyFactor);
            requirePositive("original_max_position_embeddings", originalMaxPositions);
            if (!(highFrequencyFactor > lowFrequencyFactor) || Double.isInfinite(highFrequencyFactor)) {
                throw new BadInputException("high_freq_factor is " + highFrequencyFactor
                        + "; wanted more than low_freq_factor, " + lowFrequencyFactor);
            }
        }

        @Override
        public double[] inverseFrequencies(int headSize, double theta) {
            double[] frequencies = unscaled(headSize, theta);
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] = scaled((float) frequencies[i]);
            }
            return frequencies;
        }

        private float scaled(float frequency) {
            float waveLength = 1 / frequency * (float) (2 * Math.PI);
            if (waveLength > (float) (originalMaxPositions / lowFrequencyFactor)) {
                return frequency / (float) factor;
            }
            if (waveLength < (float) (originalMaxPositions / highFrequencyFactor)) {
                return frequency;
            }
            float kept = (1 / waveLength * originalMaxPositions - (float) lowFrequencyFactor)
                    / (float) (highFrequencyFactor - lowFrequencyFactor);
            return (1 - kept) * frequency / (float) factor + kept * frequency;
        }
    }

    /**
     * The angle per position of each rotated pair of a head: {@code [headSize / 2]}, radians, rounded to float32.
     *
     * @param headSize even
     * @param theta the base, {@code rope_theta}
     */
    double[] inverseFrequencies(int headSize, double theta);

    private static double[] unscaled(int headSize, double theta) {
        double[] frequencies = new double[headSize / 2];
        for (int i = 0; i < frequencies.length; i++) {
            float power = (float) Math.pow((float) theta, (float) (2 * i) / (float) headSize);
            frequencies[i] = 1f / power;
        }
        return frequencies;
    }

    private static void requirePositive(String field, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new BadInputException(field + " is " + value + "; wanted a positive number");
        }
    }
}
