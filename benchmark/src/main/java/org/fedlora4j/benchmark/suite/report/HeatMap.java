package org.fedlora4j.benchmark.suite.report;

import java.util.Arrays;
import java.util.List;
import org.fedlora4j.benchmark.pictures.Svg;
import org.fedlora4j.benchmark.suite.Metric;

/**
 * A score of every client with every method. The shade says where a method stands among all of a client, for clients
 * differ more than methods do.
 *
 * @param values by method, then by client
 */
record HeatMap(String title, Metric.Score score, List<String> methods, List<String> clients, double[][] values) {
    private static final double CELL_WIDTH = 66;
    private static final double CELL_HEIGHT = 26;
    private static final int LONGEST_NAME = 30;

    String svg() {
        double left = 16 + methods.stream().mapToDouble(Svg::width).max().orElseThrow();
        double names = clients.stream()
                .mapToDouble(client -> Svg.width(shortened(client)))
                .max()
                .orElseThrow();
        double top = 44 + 0.6 * names;
        double width = left + CELL_WIDTH * clients.size() + 0.8 * names;
        Svg svg = new Svg(Math.max(width, Svg.width(title) + 40), top + CELL_HEIGHT * methods.size() + 12, title);
        svg.label(8, 18, Svg.Anchor.START, 0, Svg.INK, "bold", title);
        for (int client = 0; client < clients.size(); client++) {
            double x = left + CELL_WIDTH * client;
            svg.label(
                    x + CELL_WIDTH / 2,
                    top - 8,
                    Svg.Anchor.START,
                    -35,
                    Svg.INK,
                    "normal",
                    shortened(clients.get(client)));
            column(svg, client, x, top);
        }
        for (int method = 0; method < methods.size(); method++) {
            svg.label(left - 8, top + CELL_HEIGHT * (method + 0.65), Svg.Anchor.END, methods.get(method));
        }
        return svg.toString();
    }

    private void column(Svg svg, int client, double x, double top) {
        double[] column = Arrays.stream(values).mapToDouble(row -> row[client]).toArray();
        double least = Arrays.stream(column).min().orElseThrow();
        double most = Arrays.stream(column).max().orElseThrow();
        for (int method = 0; method < column.length; method++) {
            double place = most > least ? (column[method] - least) / (most - least) : 0.5;
            double goodness = score.higherIsBetter() ? place : 1 - place;
            double y = top + CELL_HEIGHT * method;
            String value = score.format(column[method]);
            String hover = methods.get(method) + ", " + clients.get(client) + ": " + value;
            svg.rectangle(x + 1, y + 1, CELL_WIDTH - 2, CELL_HEIGHT - 2, shade(goodness), hover);
            String ink = goodness > 0.55 ? "#ffffff" : Svg.INK;
            svg.label(x + CELL_WIDTH / 2, y + CELL_HEIGHT * 0.65, Svg.Anchor.MIDDLE, 0, ink, "normal", value);
        }
    }

    /** From a pale to a deep blue. */
    private static String shade(double goodness) {
        int red = (int) Math.round(232 - 224 * goodness);
        int green = (int) Math.round(241 - 160 * goodness);
        int blue = (int) Math.round(250 - 94 * goodness);
        return String.format("#%02x%02x%02x", red, green, blue);
    }

    private static String shortened(String name) {
        return name.length() <= LONGEST_NAME ? name : name.substring(0, LONGEST_NAME - 1) + "…";
    }
}
