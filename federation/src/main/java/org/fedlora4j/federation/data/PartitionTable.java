package org.fedlora4j.federation.data;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Shows a partition as text: how many records of each category each client has. */
public final class PartitionTable {
    /** With more categories, the table would be too wide to be read. */
    private static final int MAX_COLUMNS = 30;

    private PartitionTable() {}

    /**
     * A line per client with one column per category and the total; a dot is a zero. Categories are numbered, and named
     * below the table, so that it stays narrow. Where there are more than 30, a client's line says of how many it has
     * records.
     *
     * @param partition the number of records by client and category, without zeros
     */
    public static String text(SortedMap<String, SortedMap<String, Integer>> partition) {
        List<String> names = List.copyOf(partition.values().stream()
                .flatMap(counts -> counts.keySet().stream())
                .collect(Collectors.toCollection(TreeSet::new)));
        int nameWidth = Stream.concat(Stream.of("client"), partition.keySet().stream())
                .mapToInt(String::length)
                .max()
                .orElseThrow();
        return names.size() > MAX_COLUMNS ? summary(partition, nameWidth) : table(partition, names, nameWidth);
    }

    private static String table(
            SortedMap<String, SortedMap<String, Integer>> partition, List<String> names, int nameWidth) {
        StringBuilder text = new StringBuilder();
        text.append(row(
                nameWidth,
                "client",
                Stream.concat(IntStream.rangeClosed(1, names.size()).mapToObj(String::valueOf), Stream.of("all"))));
        partition.forEach((client, counts) -> {
            Stream<String> cells = names.stream().map(name -> String.valueOf(counts.getOrDefault(name, 0)));
            text.append(row(
                    nameWidth,
                    client,
                    Stream.concat(cells.map(cell -> cell.equals("0") ? "." : cell), Stream.of(sum(counts)))));
        });
        text.append('\n');
        for (int i = 0; i < names.size(); i++) {
            text.append("%2d %s\n".formatted(i + 1, names.get(i)));
        }
        return text.toString();
    }

    private static String summary(SortedMap<String, SortedMap<String, Integer>> partition, int nameWidth) {
        StringBuilder text = new StringBuilder();
        text.append(row(nameWidth, "client", Stream.of("categories", "all")));
        partition.forEach((client, counts) ->
                text.append(row(nameWidth, client, Stream.of("%10d".formatted(counts.size()), sum(counts)))));
        return text.toString();
    }

    private static String sum(Map<String, Integer> counts) {
        return String.valueOf(
                counts.values().stream().mapToInt(Integer::intValue).sum());
    }

    private static String row(int nameWidth, String name, Stream<String> cells) {
        return ("%-" + nameWidth + "s").formatted(name)
                + cells.map("%6s"::formatted).collect(Collectors.joining(" ", " ", "\n"));
    }
}
