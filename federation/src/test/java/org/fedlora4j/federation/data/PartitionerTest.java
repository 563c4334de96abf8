package org.fedlora4j.federation.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PartitionerTest {
    /** 800 records: 400 a, 240 b, 160 c, interleaved. */
    private static final List<String> CATEGORIES = IntStream.range(0, 800)
            .mapToObj(i -> i % 2 == 0 ? "a" : i % 5 < 3 ? "b" : "c")
            .toList();

    static List<Partitioner> partitioners() {
        return List.of(
                new CategoryPartitioner(),
                new IidPartitioner(1),
                new IidPartitioner(7),
                new IidPartitioner(400),
                new DirichletPartitioner(0.1, 8),
                new DirichletPartitioner(1, 12),
                new DirichletPartitioner(1000, 3));
    }

    @ParameterizedTest
    @MethodSource("partitioners")
    void everyRecordIsAtExactlyOneClient(Partitioner partitioner) {
        for (long seed = 0; seed < 5; seed++) {
            List<ClientShard> clients = partitioner.partition(CATEGORIES, seed);
            int[] all = clients.stream()
                    .flatMapToInt(client -> Arrays.stream(client.indices()))
                    .sorted()
                    .toArray();
            assertThat(all)
                    .as("seed %d", seed)
                    .isEqualTo(IntStream.range(0, 800).toArray());
            assertThat(clients).extracting(ClientShard::clientId).isSorted().doesNotHaveDuplicates();
        }
    }

    @ParameterizedTest
    @MethodSource("partitioners")
    void theSeedDecides(Partitioner partitioner) {
        List<int[]> first = indices(partitioner, 1);
        assertThat(indices(partitioner, 1)).usingRecursiveComparison().isEqualTo(first);
        boolean chance = !(partitioner instanceof CategoryPartitioner) && first.size() > 1;
        boolean same = Arrays.deepEquals(indices(partitioner, 2).toArray(), first.toArray());
        assertThat(same).isNotEqualTo(chance);
    }

    private static List<int[]> indices(Partitioner partitioner, long seed) {
        return partitioner.partition(CATEGORIES, seed).stream()
                .map(ClientShard::indices)
                .toList();
    }

    @Test
    void categoriesNameTheirClients() {
        List<ClientShard> clients =
                new CategoryPartitioner().partition(List.of("open qa", "../../etc", "Ähm_1", "open qa"), 0);
        assertThat(clients).extracting(ClientShard::clientId).containsExactly("-etc", "open-qa", "Ähm_1");
        assertThat(clients.get(1).indices()).containsExactly(0, 3);
    }

    @Test
    void refusesCategoriesThatNameNoClient() {
        var partitioner = new CategoryPartitioner();
        assertThatThrownBy(() -> partitioner.partition(List.of("a", ""), 0))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("''");
        assertThatThrownBy(() -> partitioner.partition(List.of("open qa", "Open-QA"), 0))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("open qa")
                .hasMessageContaining("Open-QA");
        assertThatThrownBy(() -> partitioner.partition(List.of(), 0)).isInstanceOf(BadInputException.class);
        assertThatThrownBy(() -> partitioner.partition(List.of("x".repeat(101)), 0))
                .isInstanceOf(BadInputException.class);
    }

    @Test
    void iidClientsHaveEqualSizesAndMixtures() {
        List<ClientShard> clients = new IidPartitioner(7).partition(CATEGORIES, 3);
        assertThat(clients).extracting(ClientShard::clientId).containsExactly("0", "1", "2", "3", "4", "5", "6");
        assertThat(clients).allSatisfy(client -> {
            assertThat(client.indices().length).isBetween(114, 115);
            assertThat(share(client, "a")).isBetween(0.3, 0.7);
        });
        assertThat(new IidPartitioner(11).partition(CATEGORIES, 3).get(10).clientId())
                .isEqualTo("10");
        assertThat(new IidPartitioner(11).partition(CATEGORIES, 3).get(9).clientId())
                .isEqualTo("09");
    }

    /** Over many draws, the share of a category at one client has the mean and the variance of a Dirichlet marginal. */
    @Test
    void sharesFollowTheDirichletDistribution() {
        int clients = 4;
        List<String> categories = Collections.nCopies(4000, "a");
        for (double alpha : new double[] {0.5, 2, 20}) {
            double[] shares = IntStream.range(0, 2000)
                    .mapToDouble(seed -> new DirichletPartitioner(alpha, clients)
                                    .partition(categories, seed)
                                    .get(0)
                                    .indices()
                                    .length
                            / 4000.0)
                    .toArray();
            double mean = Arrays.stream(shares).average().orElseThrow();
            double variance = Arrays.stream(shares)
                    .map(share -> (share - mean) * (share - mean))
                    .average()
                    .orElseThrow();
            // Beta(alpha, 3 alpha)
            double wanted = 0.25 * 0.75 / (clients * alpha + 1);
            assertThat(mean).as("alpha %s", alpha).isBetween(0.23, 0.27);
            assertThat(variance / wanted).as("alpha %s", alpha).isBetween(0.85, 1.15);
        }
    }

    @Test
    void aSmallAlphaConcentratesCategories() {
        assertThat(new DirichletPartitioner(1e6, 4).partition(CATEGORIES, 0))
                .allSatisfy(client -> assertThat(share(client, "a")).isBetween(0.49, 0.51));
        assertThat(new DirichletPartitioner(0.05, 4).partition(CATEGORIES, 0))
                .anySatisfy(client -> assertThat(share(client, "a")).isLessThan(0.05));
    }

    @Test
    void refusesWhatCannotBeDivided() {
        assertThatThrownBy(() -> new IidPartitioner(0)).isInstanceOf(BadInputException.class);
        assertThatThrownBy(() -> new IidPartitioner(401).partition(CATEGORIES, 0))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("800")
                .hasMessageContaining("401");
        for (double alpha : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> new DirichletPartitioner(alpha, 2)).isInstanceOf(BadInputException.class);
        }
        assertThatThrownBy(() -> new DirichletPartitioner(1e-4, 8).partition(CATEGORIES, 0))
                .as("3 categories, each nearly whole at one of 8 clients")
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("draws");
    }

    @Test
    void tableCountsRecords() {
        SortedMap<String, SortedMap<String, Integer>> partition = new TreeMap<>();
        partition.put("b", new TreeMap<>(Map.of("north", 40, "west", 2)));
        partition.put("a", new TreeMap<>(Map.of("south", 400)));
        assertThat(PartitionTable.text(partition).lines().map(String::stripTrailing))
                .containsExactly(
                        "client      1      2      3    all",
                        "a           .    400      .    400",
                        "b          40      .      2     42",
                        "",
                        " 1 north",
                        " 2 south",
                        " 3 west");
    }

    /** 30 categories at one client and one more at the other. */
    @Test
    void tableOfManyCategoriesStaysNarrow() {
        SortedMap<String, Integer> many = new TreeMap<>();
        for (int category = 0; category < 30; category++) {
            many.put("category " + category, 2);
        }
        SortedMap<String, SortedMap<String, Integer>> partition = new TreeMap<>();
        partition.put("a", many);
        assertThat(PartitionTable.text(partition)).contains("30 category 9");
        partition.put("b", new TreeMap<>(Map.of("other", 7)));
        assertThat(PartitionTable.text(partition).lines())
                .containsExactly("client categories    all", "a              30     60", "b               1      7");
    }

    @Test
    void shardsAreChecked() {
        for (String id : List.of("", "a/b", "..", "a b", "x".repeat(101))) {
            assertThatThrownBy(() -> new ClientShard(id, new int[] {1})).isInstanceOf(IllegalArgumentException.class);
        }
        for (int[] indices : new int[][] {{}, {-1}, {2, 2}, {2, 1}}) {
            assertThatThrownBy(() -> new ClientShard("a", indices)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static double share(ClientShard client, String category) {
        Map<String, Long> counts = Arrays.stream(client.indices())
                .mapToObj(CATEGORIES::get)
                .collect(Collectors.groupingBy(name -> name, TreeMap::new, Collectors.counting()));
        return counts.getOrDefault(category, 0L) / (double) client.indices().length;
    }
}
