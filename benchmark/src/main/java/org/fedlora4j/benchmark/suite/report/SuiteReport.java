package org.fedlora4j.benchmark.suite.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.fedlora4j.benchmark.speed.report.MarkedBlock;
import org.fedlora4j.benchmark.suite.Setup;
import org.fedlora4j.benchmark.suite.Suite;
import org.fedlora4j.benchmark.suite.SuiteResults;
import org.fedlora4j.common.AtomicFiles;

/** Shows what a suite came to. */
public final class SuiteReport {
    private final SuiteResults results;

    /** @param results at least one */
    public SuiteReport(SuiteResults results) {
        this.results = results;
    }

    /** The place of a document that {@link #markdown} is for, between {@code <!-- SUITE:begin -->} and its end. */
    public static MarkedBlock blockOf(Suite suite, Path document) {
        return new MarkedBlock(document, suite.name());
    }

    /** Tables of the scores, what may be said of ours, and where it was measured. */
    public String markdown() {
        return MarkdownReport.text(results);
    }

    /**
     * Writes {@code report.html}, {@code report.csv} and the folder {@code pictures}.
     *
     * @return the page's file
     */
    public Path write(Path folder) throws IOException {
        AtomicFiles.writeString(folder.resolve("report.csv"), CsvTable.text(results));
        for (Setup setup : results.setups()) {
            for (Map.Entry<String, String> picture : Pictures.of(results, setup).entrySet()) {
                String name = setup.model() + "-" + setup.dataset() + "-" + picture.getKey() + ".svg";
                AtomicFiles.writeString(folder.resolve("pictures").resolve(name), picture.getValue());
            }
        }
        Path page = folder.resolve("report.html");
        AtomicFiles.writeString(page, HtmlReport.text(results));
        return page;
    }
}
