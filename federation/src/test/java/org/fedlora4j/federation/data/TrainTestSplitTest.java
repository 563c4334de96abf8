package org.fedlora4j.federation.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;

class TrainTestSplitTest {
    private static final ClientShard SHARD =
            new ClientShard("a", IntStream.range(0, 100).map(i -> 3 * i).toArray());

    @Test
    void drawsDisjointRecordsOfTheClient() {
        TrainTestSplit split = TrainTestSplit.of(SHARD, 60, 24, 1);
        assertThat(split.train()).hasSize(60).doesNotHaveDuplicates();
        assertThat(split.test()).hasSize(24).doesNotHaveDuplicates();
        assertThat(SHARD.indices()).contains(split.train()).contains(split.test());
        assertThat(split.train()).doesNotContain(split.test());
    }

    @Test
    void theTestRecordsDependOnSeedAndClientOnly() {
        int[] test = TrainTestSplit.of(SHARD, 60, 24, 1).test();
        assertThat(TrainTestSplit.of(SHARD, 10, 24, 1).test()).isEqualTo(test);
        assertThat(TrainTestSplit.of(SHARD, 10, 12, 1).test())
                .isEqualTo(IntStream.of(test).limit(12).toArray());
        assertThat(TrainTestSplit.of(SHARD, 60, 24, 2).test()).isNotEqualTo(test);
        assertThat(TrainTestSplit.of(SHARD, 60, 24, 1 + (1L << 32)).test()).isNotEqualTo(test);
        assertThat(TrainTestSplit.of(new ClientShard("b", SHARD.indices()), 60, 24, 1)
                        .test())
                .isNotEqualTo(test);
    }

    @Test
    void smallClientsAreTestedOnAtMostHalfOfTheirRecords() {
        TrainTestSplit split = TrainTestSplit.of(new ClientShard("a", new int[] {4, 5, 6}), 60, 24, 1);
        assertThat(split.test()).hasSize(1);
        assertThat(split.train()).hasSize(2);
    }

    @Test
    void refusesWhatCannotBeSplit() {
        assertThatThrownBy(() -> TrainTestSplit.of(new ClientShard("solo", new int[] {4}), 1, 1, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("solo");
        assertThatThrownBy(() -> TrainTestSplit.of(SHARD, 0, 1, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("train-per-client");
        assertThatThrownBy(() -> TrainTestSplit.of(SHARD, 1, 0, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("test-per-client");
    }
}
