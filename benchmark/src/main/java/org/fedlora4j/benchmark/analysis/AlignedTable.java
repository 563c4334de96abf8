package org.fedlora4j.benchmark.analysis;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A table in Markdown whose columns line up as plain text too: names to the left, then numbers, to the right. */
final class AlignedTable {
    private final int names;
    private final List<List<String>> rows = new ArrayList<>();

    /** @param names how many of the columns are names */
    AlignedTable(int names, String... titles) {
        this.names = names;
        rows.add(List.of(titles));
    }

    void row(List<String> cells) {
        if (cells.size() != rows.get(0).size()) {
            throw new IllegalArgumentException(cells + " under " + rows.get(0));
        }
        rows.add(List.copyOf(cells));
    }

    String text() {
        int[] widths = IntStream.range(0, rows.get(0).size())
                .map(column -> rows.stream()
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElseThrow())
                .toArray();
        List<String> rule = IntStream.range(0, widths.length)
                .mapToObj(column -> column < names ? "-".repeat(widths[column]) : "-".repeat(widths[column] - 1) + ":")
                .toList();
        List<List<String>> lines = new ArrayList<>(rows);
        lines.add(1, rule);
        return lines.stream().map(line -> line(line, widths)).collect(Collectors.joining());
    }

    private String line(List<String> cells, int[] widths) {
        return IntStream.range(0, widths.length)
                .mapToObj(column -> {
                    String padding =
                            " ".repeat(widths[column] - cells.get(column).length());
                    return column < names ? cells.get(column) + padding : padding + cells.get(column);
                })
                .collect(Collectors.joining(" | ", "| ", " |\n"));
    }
}
