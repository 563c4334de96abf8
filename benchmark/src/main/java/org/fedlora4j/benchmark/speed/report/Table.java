package org.fedlora4j.benchmark.speed.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A table in Markdown: names to the left, then numbers, to the right. */
public final class Table {
    private static final String UNKNOWN = "–";

    private final int names;
    private final List<String> titles;
    private final List<List<String>> rows = new ArrayList<>();

    /**
     * A table without rows.
     *
     * @param names how many of the columns are names
     */
    public Table(int names, String... titles) {
        this.names = names;
        this.titles = List.of(titles);
    }

    /**
     * Adds a row.
     *
     * @param cells as many as there are titles
     */
    public void row(List<String> cells) {
        if (cells.size() != titles.size()) {
            throw new IllegalArgumentException(cells + " under " + titles);
        }
        rows.add(List.copyOf(cells));
    }

    /** The whole table. */
    public String markdown() {
        StringBuilder text = new StringBuilder(line(titles));
        text.append("|---".repeat(names))
                .append("|---:".repeat(titles.size() - names))
                .append("|\n");
        rows.forEach(row -> text.append(line(row)));
        return text.toString();
    }

    /** The whole table, with columns that line up as plain text too. */
    public String aligned() {
        int[] widths = IntStream.range(0, titles.size())
                .map(column -> Stream.concat(Stream.of(titles), rows.stream())
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElseThrow())
                .toArray();
        List<String> rule = IntStream.range(0, widths.length)
                .mapToObj(column -> column < names ? "-".repeat(widths[column]) : "-".repeat(widths[column] - 1) + ":")
                .toList();
        return Stream.concat(Stream.of(titles, rule), rows.stream())
                .map(row -> line(padded(row, widths)))
                .collect(Collectors.joining());
    }

    private List<String> padded(List<String> cells, int[] widths) {
        return IntStream.range(0, widths.length)
                .mapToObj(column -> {
                    String padding =
                            " ".repeat(widths[column] - cells.get(column).length());
                    return column < names ? cells.get(column) + padding : padding + cells.get(column);
                })
                .toList();
    }

    private static String line(List<String> cells) {
        return cells.stream().collect(Collectors.joining(" | ", "| ", " |\n"));
    }

    /** With separators of thousands; digits after the point below 100. */
    static String number(double value) {
        return Double.isNaN(value)
                ? UNKNOWN
                : String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%,.0f", value);
    }

    /** In MB, of 10^6 bytes. */
    static String megabytes(double bytes) {
        return Double.isNaN(bytes) ? UNKNOWN : String.format(Locale.ROOT, "%,.0f", bytes / 1e6);
    }

    static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    /** The median, and the range where there were several turns. */
    static String ratio(Runs.Ratio ratio) {
        if (Double.isNaN(ratio.median())) {
            return UNKNOWN;
        }
        String median = String.format(Locale.ROOT, "**%.2f**", ratio.median());
        return ratio.least() == ratio.most()
                ? median
                : median + String.format(Locale.ROOT, " (%.2f–%.2f)", ratio.least(), ratio.most());
    }
}
