package org.fedlora4j.benchmark.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class TokenScoresTest {
    @Test
    void partsAddUpToTheWhole() {
        TokenScores whole = TokenScores.NONE.plus(new TokenScores(3, 2, 1)).plus(new TokenScores(1, 6, 5));
        assertThat(whole).isEqualTo(new TokenScores(4, 8, 6));
        assertThat(whole.meanLoss()).isEqualTo(0.5);
        assertThat(whole.perplexity()).isCloseTo(1.6487212707, within(1e-9));
        assertThat(whole.tokenAccuracy()).isEqualTo(0.75);
    }

    @Test
    void refusesImpossibleCountsAndMeansOfNothing() {
        assertThatThrownBy(() -> new TokenScores(0, 1, 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new TokenScores(0, -1, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(TokenScores.NONE::meanLoss).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(TokenScores.NONE::tokenAccuracy).isInstanceOf(IllegalStateException.class);
    }
}
