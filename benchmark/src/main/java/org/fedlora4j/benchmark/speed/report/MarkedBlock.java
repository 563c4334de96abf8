package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;

/** The place of a document that a command fills in, between {@code <!-- name:begin -->} and {@code <!-- name:end -->}. */
public record MarkedBlock(Path document, String name) {
    /** A block of this repository's README. */
    static MarkedBlock inReadme(String name) {
        return new MarkedBlock(Session.root().resolve("README.md"), name);
    }

    /** A block of {@code docs/performance.md}. */
    static MarkedBlock inPerformance(String name) {
        return new MarkedBlock(Session.root().resolve("docs/performance.md"), name);
    }

    /**
     * Makes sure, before long work, that the block can be filled.
     *
     * @throws BadInputException if the document doesn't have it
     */
    public void requireThere() throws IOException {
        filled(Files.readString(document), "");
    }

    /** Writes the document with other text in the block. */
    public void fill(String markdown) throws IOException {
        AtomicFiles.writeString(document, filled(Files.readString(document), markdown));
    }

    /** A document's text with other text in the block. */
    String filled(String text, String markdown) {
        String begin = marker("begin");
        String end = marker("end");
        int from = text.indexOf(begin) + begin.length();
        int to = text.indexOf(end);
        if (!text.contains(begin) || to < from) {
            throw new BadInputException(document + ": found no block, wanted a line " + begin + " and later " + end);
        }
        return text.substring(0, from) + "\n" + markdown.strip() + "\n" + text.substring(to);
    }

    private String marker(String edge) {
        return "<!-- " + name + ":" + edge + " -->";
    }
}
