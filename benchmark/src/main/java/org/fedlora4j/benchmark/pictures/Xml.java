package org.fedlora4j.benchmark.pictures;

/** Text in markup. */
public final class Xml {
    private Xml() {}

    /** A text that shows as it is, in HTML and in XML, within elements and within attributes. */
    public static String escape(String text) {
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
}
