package org.fedlora4j.benchmark.pictures;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Curves over whole numbers from 0 on, such as rounds: of every line the mean, and thinly what it is the mean of.
 *
 * @param xTitle what is counted
 * @param yTitle what is measured
 * @param logarithmic whether the y axis is; all values are above 0 then
 * @param lines at least one, each with at least one point
 */
public record LineChart(String title, String xTitle, String yTitle, boolean logarithmic, List<Line> lines) {
    private static final double PLOT_WIDTH = 460;
    private static final double PLOT_HEIGHT = 280;
    private static final double LEFT = 64;
    private static final double TOP = 34;
    private static final double BOTTOM = 48;

    /** A value at a number. */
    public record Point(int x, double value) {}

    /**
     * One of the curves.
     *
     * @param number of its colour
     * @param strong whether it stands out
     * @param mean the curve
     * @param single those it is the mean of, drawn where there are several
     */
    public record Line(String name, int number, boolean strong, List<Point> mean, List<List<Point>> single) {}

    /** The picture. */
    public String svg() {
        double legend = 44
                + lines.stream().mapToDouble(line -> Svg.width(line.name)).max().orElseThrow();
        double height = Math.max(TOP + PLOT_HEIGHT + BOTTOM, TOP + 20 * lines.size() + 10);
        Svg svg = new Svg(LEFT + PLOT_WIDTH + legend, height, title);
        svg.label(LEFT, 18, Svg.Anchor.START, 0, Svg.INK, "bold", title);
        Scale y = scale();
        int last = points().mapToInt(Point::x).max().orElseThrow();
        axes(svg, y, last);
        for (Line line : lines) {
            String colour = Svg.colour(line.number);
            String dashes = Svg.dashes(line.number);
            if (line.single.size() > 1) {
                line.single.forEach(one -> svg.curve(place(one, y, last), colour, 1, dashes, 0.35, line.name));
            }
            svg.curve(place(line.mean, y, last), colour, line.strong ? 3.2 : 1.8, dashes, 1, line.name);
            for (int i = 0; i < line.mean.size(); i++) {
                double[] place = place(line.mean, y, last).get(i);
                Point point = line.mean.get(i);
                String hover = String.format(Locale.ROOT, "%s, %d: %.4g", line.name, point.x, point.value);
                svg.dot(place[0], place[1], line.strong ? 3.4 : 2.4, colour, hover);
            }
        }
        legend(svg);
        return svg.toString();
    }

    private Stream<Point> points() {
        return lines.stream()
                .flatMap(line ->
                        Stream.concat(line.mean.stream(), line.single.stream().flatMap(List::stream)));
    }

    private Scale scale() {
        double least = points().mapToDouble(Point::value).min().orElseThrow();
        double most = points().mapToDouble(Point::value).max().orElseThrow();
        return logarithmic ? Scale.logarithmic(least, most) : Scale.linear(least, most);
    }

    private void axes(Svg svg, Scale y, int last) {
        for (double tick : y.ticks()) {
            double at = yOf(tick, y);
            svg.line(LEFT, at, LEFT + PLOT_WIDTH, at, Svg.FAINT);
            svg.label(LEFT - 6, at + 4, Svg.Anchor.END, y.format(tick));
        }
        int every = 1 + last / 20;
        for (int x = 0; x <= last; x += every) {
            svg.label(xOf(x, last), TOP + PLOT_HEIGHT + 18, Svg.Anchor.MIDDLE, String.valueOf(x));
        }
        svg.line(LEFT, TOP + PLOT_HEIGHT, LEFT + PLOT_WIDTH, TOP + PLOT_HEIGHT, Svg.INK);
        svg.label(LEFT + PLOT_WIDTH / 2, TOP + PLOT_HEIGHT + 38, Svg.Anchor.MIDDLE, xTitle);
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

    private static List<double[]> place(List<Point> points, Scale y, int last) {
        return points.stream()
                .map(point -> new double[] {xOf(point.x, last), yOf(point.value, y)})
                .toList();
    }

    private static double xOf(int x, int last) {
        return LEFT + 8 + (PLOT_WIDTH - 16) * x / Math.max(1, last);
    }

    private static double yOf(double value, Scale y) {
        return TOP + PLOT_HEIGHT * (1 - y.share(value));
    }
}
