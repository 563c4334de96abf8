package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.model.TokenBatch;
import org.junit.jupiter.api.Test;

class BatchesTest {
    /** Five examples, of which the n-th is the tokens n, n. */
    private static final List<Example> EXAMPLES = List.of(example(0), example(1), example(2), example(3), example(4));

    @Test
    void everyEpochHasEveryExampleOnceInAnotherOrder() {
        List<Integer> order = order(17, 20);
        List<List<Integer>> epochs = new ArrayList<>();
        for (int epoch = 0; epoch < 8; epoch++) {
            epochs.add(order.subList(5 * epoch, 5 * epoch + 5));
        }
        assertThat(epochs).allSatisfy(epoch -> assertThat(epoch).containsExactlyInAnyOrder(0, 1, 2, 3, 4));
        assertThat(epochs).doesNotHaveDuplicates();
    }

    @Test
    void theSeedIsTheOrder() {
        assertThat(order(1, 5)).isEqualTo(order(1, 5)).isNotEqualTo(order(2, 5));
    }

    @Test
    void fewExamplesFillABatchAgain() {
        TokenBatch batch = new Batches(EXAMPLES.subList(0, 1), 3, 9, 0).next();
        assertThat(batch.ids()).isDeepEqualTo(new int[][] {{0, 0}, {0, 0}, {0, 0}});
        assertThat(batch.padId()).isEqualTo(9);
    }

    private static List<Integer> order(long seed, int batches) {
        Batches stream = new Batches(EXAMPLES, 2, 0, seed);
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < batches; i++) {
            for (int[] row : stream.next().ids()) {
                order.add(row[0]);
            }
        }
        return order;
    }

    private static Example example(int token) {
        return new Example(new int[] {token, token}, new int[] {-100, token});
    }
}
