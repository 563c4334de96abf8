package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.fedlora4j.model.TokenBatch;
import org.junit.jupiter.api.Test;

class BatchesTest {
    /** Five examples, of which the n-th is the tokens n, n. */
    private static final List<Example> EXAMPLES = List.of(example(0), example(1), example(2), example(3), example(4));

    /** Twelve examples, of 2 to 13 tokens. */
    private static final List<Example> LENGTHS = IntStream.rangeClosed(2, 13)
            .mapToObj(length -> new Example(new int[length], new int[length]))
            .toList();

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
        TokenBatch batch = new Batches(EXAMPLES.subList(0, 1), 3, 4, 9, 0).next();
        assertThat(batch.ids()).isDeepEqualTo(new int[][] {{0, 0}, {0, 0}, {0, 0}});
        assertThat(batch.padId()).isEqualTo(9);
    }

    @Test
    void aWindowSortsByLengthAndKeepsWhatWasDrawn() {
        int window = 4;
        Batches sorted = new Batches(LENGTHS, 3, window, 0, 5);
        Batches drawn = new Batches(LENGTHS, 3, 1, 0, 5);
        List<List<Integer>> asDrawn = lengths(drawn, window);
        List<List<Integer>> batches = lengths(sorted, window);

        assertThat(flat(batches)).containsExactlyInAnyOrderElementsOf(flat(asDrawn));
        List<List<Integer>> byLength = new ArrayList<>(batches);
        byLength.sort(Comparator.comparing(batch -> batch.get(0)));
        assertThat(flat(byLength)).isSorted();
    }

    @Test
    void theBatchesOfAWindowComeInRandomOrder() {
        Map<Integer, Integer> firsts = new TreeMap<>();
        for (int seed = 0; seed < 60; seed++) {
            // Twelve examples of lengths 2 to 13 in four batches: the shortest length tells which one this is.
            firsts.merge(lengths(new Batches(LENGTHS, 3, 4, 0, seed), 1).get(0).get(0), 1, Integer::sum);
        }
        assertThat(firsts)
                .containsOnlyKeys(2, 5, 8, 11)
                .allSatisfy((shortest, count) -> assertThat(count).isGreaterThan(4));
    }

    @Test
    void windowsThatCrossEpochsLoseNoExample() {
        Batches batches = new Batches(LENGTHS, 5, 3, 0, 3);
        Map<Integer, Integer> counts = new TreeMap<>();
        // Twelve windows of 15 are 15 epochs of 12.
        flat(lengths(batches, 36)).forEach(length -> counts.merge(length, 1, Integer::sum));
        assertThat(counts)
                .hasSize(12)
                .allSatisfy((length, count) -> assertThat(count).isEqualTo(15));
    }

    private static List<List<Integer>> lengths(Batches stream, int batches) {
        return Stream.generate(stream::next)
                .limit(batches)
                .map(batch -> Arrays.stream(batch.ids()).map(row -> row.length).toList())
                .toList();
    }

    private static List<Integer> flat(List<List<Integer>> batches) {
        return batches.stream().flatMap(List::stream).toList();
    }

    private static List<Integer> order(long seed, int batches) {
        Batches stream = new Batches(EXAMPLES, 2, 1, 0, seed);
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
