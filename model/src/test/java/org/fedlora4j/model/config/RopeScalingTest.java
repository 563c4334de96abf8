package org.fedlora4j.model.config;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Expected values: the bits of {@code LlamaRotaryEmbedding.inv_freq} of transformers 5.23.0, torch 2.15.0. */
class RopeScalingTest {
    private static int[] bits(RopeScaling scaling, int headSize, double theta) {
        double[] frequencies = scaling.inverseFrequencies(headSize, theta);
        assertThat(frequencies).hasSize(headSize / 2);
        int[] bits = new int[frequencies.length];
        for (int i = 0; i < bits.length; i++) {
            assertThat((double) (float) frequencies[i]).isEqualTo(frequencies[i]);
            bits[i] = Float.floatToIntBits((float) frequencies[i]);
        }
        return bits;
    }

    @Test
    void none() {
        assertThat(bits(new RopeScaling.None(), 8, 1e4)).containsExactly(1065353216, 1036831949, 1008981770, 981668463);
    }

    @Test
    void linear() {
        assertThat(bits(new RopeScaling.Linear(3), 16, 5e5))
                .containsExactly(
                        1051372203, 1032086133, 1011704075, 991907722, 972498647, 952088224, 932492760, 912700639);
    }

    /** With waves that are kept, interpolated and stretched. */
    @Test
    void llama3() {
        assertThat(bits(new RopeScaling.Llama3(8, 1, 4, 32), 16, 1e4))
                .containsExactly(
                        1065353216, 1036273600, 1011666125, 998344419, 983815946, 969883192, 956502639, 942000992);
        assertThat(bits(new RopeScaling.Llama3(32, 1, 4, 8192), 64, 5e5))
                .containsExactly(
                        1065353216,
                        1059709382,
                        1054963644,
                        1049992931,
                        1044812720,
                        1040434848,
                        1034871981,
                        1030233703,
                        1025116360,
                        1020030793,
                        1015523779,
                        1010044269,
                        1005516623,
                        1000248322,
                        995260192,
                        984164251,
                        971060768,
                        952867063,
                        933446029,
                        928558209,
                        923781368,
                        918476020,
                        914179523,
                        908595819,
                        903811268,
                        898893515,
                        893679120,
                        889347892,
                        883754919,
                        879076685,
                        874013863,
                        868893104);
    }
}
