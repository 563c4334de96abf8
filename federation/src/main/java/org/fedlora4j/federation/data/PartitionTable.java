package org.fedlora4j.federation.data;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Shows a partition as text: how many records of each category each client has. */
public final class PartitionTable {
    private PartitionTable() {}

    /**
     * A line per client with one column per category and the total; a dot is a zero. Categories are numbered, and named
     * below the table, so that it stays narrow.
     *
     * @param categories the category of each record, as given to the partitioner
     */
    public static String text(List<ClientShard> clients, List<String> categories) {
        List<String> names = categories.stream().distinct().sorted().toList();
        int nameWidth = Stream.concat(Stream.of("client"), clients.stream().map(ClientShard::clientId))
                .mapToInt(String::length)
                .max()
                .orElseThrow();
        StringBuilder text = new StringBuilder();
        text.append(row(
                nameWidth,
                "client",
                Stream.concat(IntStream.rangeClosed(1, names.size()).mapToObj(String::valueOf), Stream.of("all"))));
        for (ClientShard client : clients) {
            int[] counts = counts(client, categories, names);
            Stream<String> cells = Arrays.stream(counts).mapToObj(count -> count == 0 ? "." : String.valueOf(count));
            text.append(row(
                    nameWidth, client.clientId(), Stream.concat(cells, Stream.of(client.indices().length + ""))));
        }
        text.append('\n');
        for (int i = 0; i < names.size(); i++) {
            text.append("%2d %s\n".formatted(i + 1, names.get(i)));
        }
        return text.toString();
    }

    private static String row(int nameWidth, String name, Stream<String> cells) {
        return ("%-" + nameWidth + "s").formatted(name)
                + cells.map("%6s"::formatted).collect(Collectors.joining(" ", " ", "\n"));
    }

    private static int[] counts(ClientShard client, List<String> categories, List<String> names) {
        int[] counts = new int[names.size()];
        for (int index : client.indices()) {
            counts[names.indexOf(categories.get(index))]++;
        }
        return counts;
    }
}
