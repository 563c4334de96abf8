package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenBatchTest {
    @Test
    void counts() {
        int none = TokenBatch.IGNORED;
        TokenBatch batch = new TokenBatch(new int[][] {{5, 6, 7}, {8}}, new int[][] {{5, none, 7}, {8}}, 0);
        assertThat(batch.rows()).isEqualTo(2);
        assertThat(batch.longest()).isEqualTo(3);
        assertThat(batch.tokens()).isEqualTo(4);
        assertThat(batch.padding()).isEqualTo(2 * 16 - 4);
        // Nothing predicts a row's first token.
        assertThat(batch.targets()).isEqualTo(1);
        assertThat(TokenBatch.of(batch.ids()).targets()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"1, 16", "16, 16", "17, 32", "256, 256", "257, 288", "512, 512", "513, 576", "1025, 1152"})
    void padsToFewLengths(int longest, int padded) {
        TokenBatch batch = TokenBatch.of(new int[][] {new int[longest], new int[1]});
        assertThat(batch.paddedLength()).isEqualTo(padded);
    }

    @Test
    void refusesRowsThatDoNotMatch() {
        int[][] ids = {{1, 2}, {3}};
        assertThatThrownBy(() -> new TokenBatch(new int[0][], new int[0][], 0))
                .hasMessage("0 rows of ids and 0 of labels");
        assertThatThrownBy(() -> new TokenBatch(ids, new int[][] {{1, 2}}, 0))
                .hasMessage("2 rows of ids and 1 of labels");
        assertThatThrownBy(() -> new TokenBatch(ids, new int[][] {{1, 2}, {3, 4}}, 0))
                .hasMessage("row 1 has 1 ids and 2 labels");
        assertThatThrownBy(() -> TokenBatch.of(new int[][] {{1}, {}})).hasMessage("row 1 has 0 ids and 0 labels");
    }
}
