package org.fedlora4j.grpc;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** A run's page: who is there, and the training loss of each phase over the rounds. Without scripts, it loads itself anew. */
final class StatusPage {
    private static final int WIDTH = 720;
    private static final int HEIGHT = 260;
    private static final int MARGIN = 44;
    private static final List<String> COLOURS =
            List.of("#1f6feb", "#d1462f", "#2e8b57", "#8250df", "#b8860b", "#57606a");

    private StatusPage() {}

    static String html(Status status) {
        StringBuilder page = new StringBuilder();
        page.append("""
                <!doctype html>
                <html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
                <meta name="viewport" content="width=device-width">
                <title>fedlora server</title>
                <style>
                body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:760px;padding:0 1rem;color:#1f2328}
                table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d0d7de}
                .bar{background:#eaeef2;height:.6rem;width:8rem}.bar div{background:#1f6feb;height:100%}svg{max-width:100%;height:auto}
                </style></head><body>
                """);
        page.append("<h1>fedlora server</h1>\n<p>Run <code>")
                .append(escaped(status.run()))
                .append("</code>: ");
        page.append(
                status.finished()
                        ? "finished."
                        : status.round().isEmpty()
                                ? "between phases."
                                : escaped(status.round() + ", phase " + status.phase()) + ".");
        page.append(
                "</p>\n<h2>Clients</h2>\n<table><tr><th>client</th><th>state</th><th>examples</th><th>step</th></tr>\n");
        status.clients().forEach(client -> row(page, client));
        page.append("</table>\n<h2>Training loss</h2>\n");
        page.append(status.curve().isEmpty() ? "<p>No phase is done yet.</p>\n" : curve(status.curve()));
        return page.append("</body></html>\n").toString();
    }

    private static void row(StringBuilder page, Status.Client client) {
        page.append("<tr><td>").append(escaped(client.id())).append("</td><td>").append(escaped(client.state()));
        page.append("</td><td>")
                .append(client.examples() == 0 ? "" : client.examples())
                .append("</td><td>");
        if (client.steps() > 0) {
            int percent = Math.min(100, 100 * Math.max(0, client.step()) / client.steps());
            page.append(client.step()).append(" of ").append(client.steps());
            page.append("<div class=\"bar\"><div style=\"width:")
                    .append(percent)
                    .append("%\"></div></div>");
        }
        page.append("</td></tr>\n");
    }

    /** A line for each phase that the rounds repeat, over the phases done. */
    static String curve(List<Status.Point> points) {
        double low = points.stream().mapToDouble(Status.Point::loss).min().orElse(0);
        double high = points.stream().mapToDouble(Status.Point::loss).max().orElse(1);
        double range = high > low ? high - low : 1;
        int last = Math.max(1, points.get(points.size() - 1).stage());
        Map<String, List<String>> lines = new TreeMap<>();
        for (Status.Point point : points) {
            double x = MARGIN + (WIDTH - 2.0 * MARGIN) * point.stage() / last;
            double y = HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * (point.loss() - low) / range;
            lines.computeIfAbsent(point.phase(), phase -> new ArrayList<>())
                    .add(String.format(Locale.ROOT, "%.1f,%.1f", x, y));
        }
        StringBuilder svg = new StringBuilder(String.format(
                Locale.ROOT,
                "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"training loss\" font-size=\"12\">\n",
                WIDTH,
                HEIGHT + 20,
                WIDTH,
                HEIGHT + 20));
        svg.append(String.format(
                Locale.ROOT,
                "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#8c959f\"/>\n",
                MARGIN,
                MARGIN / 2,
                HEIGHT - MARGIN,
                WIDTH - MARGIN));
        label(svg, 2, MARGIN + 4, String.format(Locale.ROOT, "%.3f", high));
        label(svg, 2, HEIGHT - MARGIN, String.format(Locale.ROOT, "%.3f", low));
        label(svg, MARGIN, HEIGHT - MARGIN + 16, points.get(0).round());
        label(
                svg,
                WIDTH - MARGIN - 60,
                HEIGHT - MARGIN + 16,
                points.get(points.size() - 1).round());
        int number = 0;
        for (Map.Entry<String, List<String>> line : lines.entrySet()) {
            String colour = COLOURS.get(number % COLOURS.size());
            svg.append("<polyline fill=\"none\" stroke-width=\"2\" stroke=\"")
                    .append(colour)
                    .append("\" points=\"");
            svg.append(String.join(" ", line.getValue())).append("\"/>\n");
            for (String point : line.getValue()) {
                String[] xy = point.split(",", 2);
                svg.append("<circle r=\"3\" fill=\"")
                        .append(colour)
                        .append("\" cx=\"")
                        .append(xy[0]);
                svg.append("\" cy=\"").append(xy[1]).append("\"/>\n");
            }
            svg.append("<text fill=\"").append(colour).append("\" x=\"").append(MARGIN + 110 * number);
            svg.append("\" y=\"")
                    .append(HEIGHT + 10)
                    .append("\">")
                    .append(escaped(line.getKey()))
                    .append("</text>\n");
            number++;
        }
        return svg.append("</svg>\n").toString();
    }

    private static void label(StringBuilder svg, int x, int y, String text) {
        svg.append("<text x=\"").append(x).append("\" y=\"").append(y).append("\">");
        svg.append(escaped(text)).append("</text>\n");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
