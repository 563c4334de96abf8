package org.fedlora4j.benchmark.suite.report;

import java.util.List;
import java.util.stream.Collectors;

/** Pieces of a page. Every text that isn't ours goes through {@link #escape}. */
final class Html {
    private Html() {}

    /** A text that shows as it is, in HTML and in XML, within elements and within attributes. */
    static String escape(String text) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints().forEach(character -> {
            switch (character) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.appendCodePoint(isXml(character) ? character : '?');
            }
        });
        return escaped.toString();
    }

    /** XML has no way to write other control characters, halves of surrogate pairs and the last of a plane. */
    private static boolean isXml(int character) {
        boolean control = character < ' ' && character != '\t' && character != '\n';
        boolean half = character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE;
        return !control && !half && (character & 0xfffe) != 0xfffe;
    }

    static String element(String name, String text) {
        return "<" + name + ">" + escape(text) + "</" + name + ">\n";
    }

    /** What opens at a click. */
    static String details(String summary, String html) {
        return "<details><summary>" + escape(summary) + "</summary>\n" + html + "</details>\n";
    }

    /** A cell of a table. */
    record Cell(String text, boolean strong) {
        static List<Cell> plain(List<String> texts) {
            return texts.stream().map(text -> new Cell(text, false)).toList();
        }

        private String html(String element) {
            String shown = strong ? "<strong>" + escape(text) + "</strong>" : escape(text);
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
