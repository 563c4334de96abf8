package org.fedlora4j.benchmark.suite.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Curves over rounds: of every method the mean over seeds, and thinly each seed.
 *
 * @param yTitle what is measured
 * @param lines at least one, each with at least one point
 */
record LineChart(String title, String yTitle, List<Line> lines) {
    private static final double PLOT_WIDTH = 460;
    private static final double PLOT_HEIGHT = 280;
    private static final double LEFT = 64;
    private static final double TOP = 34;
    private static final double BOTTOM = 48;

    /** A value after a number of rounds. */
    record Point(int round, double value) {}

    /**
     * A method.
     *
     * @param number of its colour
     * @param strong whether it stands out
     * @param mean over seeds
     * @param seeds each one's own
     */
    record Line(String name, int number, boolean strong, List<Point> mean, List<List<Point>> seeds) {}

    /** A scale whose ends and steps are round numbers. */
    record Scale(double least, double most, double step) {
        private static final int STEPS = 5;
        private static final double ROUNDING = 1e-9;

        static Scale of(double least, double most) {
            double range = most > least ? most - least : Math.max(1e-3, Math.abs(least) / 10);
            double power = Math.pow(10, Math.floor(Math.log10(range / STEPS)));
            double ratio = range / STEPS / power;
            double step = power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
            return new Scale(
                    Math.floor(least / step + ROUNDING) * step,
                    Math.ceil((least + range) / step - ROUNDING) * step,
                    step);
        }

        List<Double> ticks() {
            List<Double> ticks = new ArrayList<>();
            long count = Math.round((most - least) / step);
            for (int i = 0; i <= count; i++) {
                ticks.add(least + i * step);
            }
            return ticks;
        }

        String format(double tick) {
            int digits = (int) Math.max(0, -Math.floor(Math.log10(step) + ROUNDING));
            return String.format(Locale.ROOT, "%." + digits + "f", tick);
        }
    }

    String svg() {
        double legend = 44
                + lines.stream().mapToDouble(line -> Svg.width(line.name)).max().orElseThrow();
        double height = Math.max(TOP + PLOT_HEIGHT + BOTTOM, TOP + 20 * lines.size() + 10);
        Svg svg = new Svg(LEFT + PLOT_WIDTH + legend, height, title);
        svg.label(LEFT, 18, Svg.Anchor.START, 0, Svg.INK, "bold", title);
        Scale y = scale();
        int lastRound = points().mapToInt(Point::round).max().orElseThrow();
        axes(svg, y, lastRound);
        for (Line line : lines) {
            String colour = Svg.colour(line.number);
            String dashes = Svg.dashes(line.number);
            if (line.seeds.size() > 1) {
                line.seeds.forEach(seed -> svg.curve(place(seed, y, lastRound), colour, 1, dashes, 0.35, line.name));
            }
            svg.curve(place(line.mean, y, lastRound), colour, line.strong ? 3.2 : 1.8, dashes, 1, line.name);
            for (int i = 0; i < line.mean.size(); i++) {
                double[] place = place(line.mean, y, lastRound).get(i);
                Point point = line.mean.get(i);
                String hover =
                        String.format(Locale.ROOT, "%s, after %d rounds: %.4f", line.name, point.round, point.value);
                svg.dot(place[0], place[1], line.strong ? 3.4 : 2.4, colour, hover);
            }
        }
        legend(svg);
        return svg.toString();
    }

    private Stream<Point> points() {
        return lines.stream()
                .flatMap(line ->
                        Stream.concat(line.mean.stream(), line.seeds.stream().flatMap(List::stream)));
    }

    private Scale scale() {
        return Scale.of(
                points().mapToDouble(Point::value).min().orElseThrow(),
                points().mapToDouble(Point::value).max().orElseThrow());
    }

    private void axes(Svg svg, Scale y, int lastRound) {
        for (double tick : y.ticks()) {
            double at = yOf(tick, y);
            svg.line(LEFT, at, LEFT + PLOT_WIDTH, at, Svg.FAINT);
            svg.label(LEFT - 6, at + 4, Svg.Anchor.END, y.format(tick));
        }
        int every = 1 + lastRound / 20;
        for (int round = 0; round <= lastRound; round += every) {
            svg.label(xOf(round, lastRound), TOP + PLOT_HEIGHT + 18, Svg.Anchor.MIDDLE, String.valueOf(round));
        }
        svg.line(LEFT, TOP + PLOT_HEIGHT, LEFT + PLOT_WIDTH, TOP + PLOT_HEIGHT, Svg.INK);
        svg.label(LEFT + PLOT_WIDTH / 2, TOP + PLOT_HEIGHT + 38, Svg.Anchor.MIDDLE, "rounds, with warm-up rounds");
        svg.label(16, TOP + PLOT_HEIGHT / 2, Svg.Anchor.MIDDLE, -90, Svg.INK, "normal", yTitle);
    }

    private void legend(Svg svg) {
        double x = LEFT + PLOT_WIDTH + 12;
        double y = TOP + 10;
        for (Line line : lines) {
            svg.curve(
                    List.of(new double[] {x, y - 4}, new double[] {x + 20, y - 4}),
                    Svg.colour(line.number),
                    line.strong ? 3.2 : 1.8,
                    Svg.dashes(line.number),
                    1,
                    "");
            svg.label(x + 26, y, Svg.Anchor.START, 0, Svg.INK, line.strong ? "bold" : "normal", line.name);
            y += 20;
        }
    }

    private static List<double[]> place(List<Point> points, Scale y, int lastRound) {
        return points.stream()
                .map(point -> new double[] {xOf(point.round, lastRound), yOf(point.value, y)})
                .toList();
    }

    private static double xOf(int round, int lastRound) {
        return LEFT + 8 + (PLOT_WIDTH - 16) * round / Math.max(1, lastRound);
    }

    private static double yOf(double value, Scale y) {
        return TOP + PLOT_HEIGHT * (y.most - value) / (y.most - y.least);
    }
}
