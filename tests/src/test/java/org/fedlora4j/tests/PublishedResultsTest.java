package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.benchmark.suite.Suite;
import org.fedlora4j.benchmark.suite.SuiteFile;
import org.fedlora4j.benchmark.suite.SuiteResults;
import org.fedlora4j.benchmark.suite.report.SuiteReport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The tables of the documents are those of the results in the repository, and these are of its suites and recipes. */
class PublishedResultsTest {
    @ParameterizedTest
    @CsvSource({"small, README.md", "tuning, docs/method.md", "finalists, docs/method.md"})
    void tablesAreThoseOfTheResults(String name, String document) throws IOException {
        Path benchmark = Launcher.ROOT.resolve("benchmark");
        Suite suite = SuiteFile.load(benchmark.resolve("suites/" + name + ".yaml"), List.of());
        SuiteResults results = SuiteResults.ofExports(suite, benchmark.resolve("results/" + name));
        assertThat(Files.readString(Launcher.ROOT.resolve(document)))
                .contains("<!-- " + name + ":begin -->\n"
                        + new SuiteReport(results).markdown().strip() + "\n<!-- " + name + ":end -->");
    }
}
