package org.fedlora4j.benchmark.pictures;

import java.util.List;
import java.util.Locale;

/**
 * A picture in SVG, dark on white, that needs nothing beside it: text is in the reader's own font. Coordinates are in
 * pixels from the left top corner.
 */
public final class Svg {
    /** Of text and axes. */
    public static final String INK = "#222222";
    /** Of what only helps the eye. */
    public static final String FAINT = "#d8d8d8";

    /** Told apart by the colour-blind too (Okabe and Ito); the first stands out. */
    private static final List<String> COLOURS = List.of(
            "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#555555", "#7b3f99", "#e69f00",
            "#88aa33");

    private static final double LETTER_WIDTH = 6.7;
    private static final int FONT_SIZE = 12;

    private final StringBuilder text = new StringBuilder();

    /** How a text lies to its point. */
    public enum Anchor {
        START,
        MIDDLE,
        END
    }

    /** @param title what the picture shows, for those who can't see it */
    public Svg(double width, double height, String title) {
        text.append(format(
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\""
                                + " role=\"img\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"%d\">",
                        width, height, width, height, FONT_SIZE))
                .append("<title>")
                .append(Xml.escape(title))
                .append("</title>\n");
        rectangle(0, 0, width, height, "#ffffff", "");
    }

    /** The i-th of colours that go round. */
    public static String colour(int i) {
        return COLOURS.get(i % COLOURS.size());
    }

    /** Dashes by which lines of the same colour are told apart. */
    public static String dashes(int i) {
        int turn = i / COLOURS.size();
        return turn == 0 ? "none" : (2 + 3 * turn) + " 3";
    }

    /** About how wide a text is. */
    public static double width(String text) {
        return LETTER_WIDTH * text.length();
    }

    /**
     * A filled rectangle.
     *
     * @param hover is shown under the pointer, unless empty
     */
    public void rectangle(double x, double y, double width, double height, String fill, String hover) {
        text.append(format(
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\">", x, y, width, height, fill));
        hover(hover);
        text.append("</rect>\n");
    }

    /** A line from one point to another. */
    public void line(double x1, double y1, double x2, double y2, String stroke) {
        text.append(format(
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1, y1, x2, y2, stroke));
    }

    /**
     * A curve.
     *
     * @param points x and y each
     * @param opacity from 0, not to be seen, to 1
     */
    public void curve(List<double[]> points, String stroke, double width, String dashes, double opacity, String hover) {
        text.append(format(
                "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" stroke-dasharray=\"%s\" opacity=\"%.2f\" points=\"",
                stroke, width, dashes, opacity));
        points.forEach(point -> text.append(format("%.1f,%.1f ", point[0], point[1])));
        text.append("\">");
        hover(hover);
        text.append("</polyline>\n");
    }

    /**
     * A filled circle.
     *
     * @param hover is shown under the pointer, unless empty
     */
    public void dot(double x, double y, double radius, String fill, String hover) {
        text.append(format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\">", x, y, radius, fill));
        hover(hover);
        text.append("</circle>\n");
    }

    /** A text. */
    public void label(double x, double y, Anchor anchor, String label) {
        label(x, y, anchor, 0, INK, "normal", label);
    }

    /**
     * A text that may be turned.
     *
     * @param degrees by which it is turned about its point, clockwise
     */
    public void label(double x, double y, Anchor anchor, double degrees, String fill, String weight, String label) {
        text.append(format(
                        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\" font-weight=\"%s\"",
                        x, y, anchor.name().toLowerCase(Locale.ROOT), fill, weight))
                .append(degrees == 0 ? "" : format(" transform=\"rotate(%.0f %.1f %.1f)\"", degrees, x, y))
                .append('>')
                .append(Xml.escape(label))
                .append("</text>\n");
    }

    private void hover(String hover) {
        if (!hover.isEmpty()) {
            text.append("<title>").append(Xml.escape(hover)).append("</title>");
        }
    }

    private static String format(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }

    /** The whole picture. */
    @Override
    public String toString() {
        return text + "</svg>\n";
    }
}
