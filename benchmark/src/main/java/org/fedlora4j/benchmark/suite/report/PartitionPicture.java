package org.fedlora4j.benchmark.suite.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeSet;
import org.fedlora4j.benchmark.pictures.Svg;

/**
 * Who holds what: a bar a client, with a part for each category.
 *
 * @param partition numbers of records by client and category; of at least one client
 */
record PartitionPicture(String title, SortedMap<String, SortedMap<String, Integer>> partition) {
    private static final double BAR_WIDTH = 420;
    private static final double BAR_HEIGHT = 22;
    private static final double TOP = 34;

    String svg() {
        List<String> categories = new ArrayList<>(new TreeSet<>(partition.values().stream()
                .flatMap(counts -> counts.keySet().stream())
                .toList()));
        double left =
                16 + partition.keySet().stream().mapToDouble(Svg::width).max().orElseThrow();
        double legend = 40 + categories.stream().mapToDouble(Svg::width).max().orElse(0);
        double height = TOP + Math.max(BAR_HEIGHT * partition.size(), 20 * categories.size()) + 16;
        Svg svg = new Svg(left + BAR_WIDTH + 60 + legend, height, title);
        svg.label(8, 18, Svg.Anchor.START, 0, Svg.INK, "bold", title);
        int most = partition.values().stream()
                .mapToInt(PartitionPicture::sum)
                .max()
                .orElseThrow();
        double y = TOP;
        for (Map.Entry<String, SortedMap<String, Integer>> client : partition.entrySet()) {
            svg.label(left - 8, y + 15, Svg.Anchor.END, client.getKey());
            double x = left;
            for (Map.Entry<String, Integer> count : client.getValue().entrySet()) {
                double width = BAR_WIDTH * count.getValue() / Math.max(1, most);
                String hover = client.getKey() + ": " + count.getValue() + " of " + count.getKey();
                svg.rectangle(x, y + 2, width, BAR_HEIGHT - 4, Svg.colour(categories.indexOf(count.getKey())), hover);
                x += width;
            }
            svg.label(x + 6, y + 15, Svg.Anchor.START, String.valueOf(sum(client.getValue())));
            y += BAR_HEIGHT;
        }
        double x = left + BAR_WIDTH + 60;
        for (int i = 0; i < categories.size(); i++) {
            svg.rectangle(x, TOP + 20 * i, 12, 12, Svg.colour(i), "");
            svg.label(x + 18, TOP + 20 * i + 11, Svg.Anchor.START, categories.get(i));
        }
        return svg.toString();
    }

    private static int sum(SortedMap<String, Integer> counts) {
        return counts.values().stream().mapToInt(Integer::intValue).sum();
    }
}
