package org.fedlora4j.benchmark.speed;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SyntheticTokensTest {
    /** Found with {@code synthetic_ids} of {@code benchmark/peers/measure.py}. */
    @Test
    void areThePeers() {
        assertThat(SyntheticTokens.ids(49_152, 2, 2)).isDeepEqualTo(new int[][] {{34_430, 48_816}, {33_252, 11_163}});
    }

    @Test
    void makeABatchOfTargets() {
        assertThat(SyntheticTokens.batch(100, 2, 5).targets()).isEqualTo(2 * 4);
    }
}
