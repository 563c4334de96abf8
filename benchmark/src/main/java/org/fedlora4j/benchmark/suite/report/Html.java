package org.fedlora4j.benchmark.suite.report;

import java.util.List;
import java.util.stream.Collectors;
import org.fedlora4j.benchmark.pictures.Xml;

/** Pieces of a page. Every text that isn't ours goes through {@link Xml#escape}. */
final class Html {
    private Html() {}

    static String element(String name, String text) {
        return "<" + name + ">" + Xml.escape(text) + "</" + name + ">\n";
    }

    /** What opens at a click. */
    static String details(String summary, String html) {
        return "<details><summary>" + Xml.escape(summary) + "</summary>\n" + html + "</details>\n";
    }

    /** A cell of a table. */
    record Cell(String text, boolean strong) {
        static List<Cell> plain(List<String> texts) {
            return texts.stream().map(text -> new Cell(text, false)).toList();
        }

        private String html(String element) {
            String shown = strong ? "<strong>" + Xml.escape(text) + "</strong>" : Xml.escape(text);
            return "<" + element + ">" + shown + "</" + element + ">";
        }
    }

    /** A table whose first column has names. It scrolls by itself where the screen is narrow. */
    static String table(List<String> titles, List<List<Cell>> rows) {
        StringBuilder html = new StringBuilder("<div class=\"wide\"><table>\n<thead>")
                .append(row(Cell.plain(titles), "th"))
                .append("</thead>\n<tbody>\n");
        rows.forEach(cells -> html.append(row(cells, "td")));
        return html.append("</tbody>\n</table></div>\n").toString();
    }

    private static String row(List<Cell> cells, String element) {
        return cells.stream().map(cell -> cell.html(element)).collect(Collectors.joining("", "<tr>", "</tr>\n"));
    }
}
