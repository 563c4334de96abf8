package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;

/** The place of a document that a command fills in, between {@code <!-- name:begin -->} and {@code <!-- name:end -->}. */
record MarkedBlock(Path document, String name) {
    /** Writes the document with other text in the block. */
    void fill(String markdown) throws IOException {
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
