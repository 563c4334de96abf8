package org.fedlora4j.benchmark.suite.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.fedlora4j.benchmark.suite.Suite;
import org.fedlora4j.benchmark.suite.SuiteResults;
import org.fedlora4j.benchmark.suite.SyntheticResults;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SuiteReportTest {
    private static final String HOSTILE = "<script>alert('x')</script>\u0001";
    private static final List<String> CLIENTS = List.of(HOSTILE, "b", "c", "d", "e", "f", "g", "h");

    @TempDir
    private Path folder;

    /** Losses of ours 1 and 1.2: mean 1.1, deviation 0.1414; of the rival 2 and 2.1: 2.05, 0.0707. */
    @Test
    void theTableHasMeansAndDeviationsOverSeeds() throws IOException {
        String markdown = new SuiteReport(results()).markdown();
        assertThat(markdown)
                .contains("| method | seeds | global ROUGE-L | global loss | local ROUGE-L | local loss |\n")
                .contains("| base model | 2 | 30.00 ± 0.00 | 3.0000 ± 0.0000 | 30.00 ± 0.00 | 3.0000 ± 0.0000 |\n")
                .contains("| 11.00 ± 1.41 | **1.1000 ± 0.1414** |\n")
                .contains("| **20.50 ± 0.71** | 2.0500 ± 0.0707 |\n")
                // All 16 pairs agree: p = 2 / 2^16.
                .contains("- local loss: ours against the best rival, rival: +0.9500, p < 0.0001: better\n")
                .contains("- local ROUGE-L: ours against the best rival, rival: -9.50, p < 0.0001: worse\n")
                .contains(
                        "- global loss: ours against the best rival, rival: +0.0000, p = 1.0000: no difference shown\n")
                .contains("Suite `made-up`, 4 min 0 s in all; <CPU> & Co, 2 cores, 8.0 GB, Linux amd64, precision f32;"
                        + " fedlora4j c0ffee; java 17.");
    }

    @Test
    void csvHasALineForEachJobModelAndScore() throws IOException {
        new SuiteReport(results()).write(folder);
        List<String> lines = Files.readAllLines(folder.resolve("report.csv"));
        // Four jobs, three models, three scores: no text was compared exactly.
        assertThat(lines).hasSize(1 + 4 * 3 * 3).startsWith("model,dataset,method,seed,scored,metric,value");
        assertThat(lines).contains("model,data,rival,2,local,loss,2.1", "model,data,ours,1,global,token accuracy,0.5");
    }

    @Test
    void thePageNeedsNothingFromElsewhere() throws Exception {
        Path page = new SuiteReport(results()).write(folder);
        String html = Files.readString(page);
        assertThat(html.replace("http://www.w3.org/2000/svg", ""))
                .doesNotContain("http")
                .doesNotContain("src=")
                .doesNotContain("url(")
                .doesNotContain("@import")
                .doesNotContain("<link")
                .doesNotContain("<script")
                .contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;?")
                .contains("&lt;CPU&gt; &amp; Co")
                .contains("4 of 4 jobs are complete; they took 4 min 0 s. Ours: ours.")
                // A round's phase, without the warm-up's.
                .contains("<td>rival</td><td>4.0 kB</td><td>5.0 kB</td><td>1 min 0 s</td><td>1,000</td>");
        // Every element is closed, every attribute quoted, every name escaped; void elements apart.
        parse(html.replace("<!DOCTYPE html>", "").replaceAll("<meta [^>]*>", ""));
    }

    @Test
    void thereIsAPictureOfEachKind() throws Exception {
        new SuiteReport(results()).write(folder);
        for (String kind : List.of("global-loss", "local-loss", "clients", "drift", "partition")) {
            parse(Files.readString(folder.resolve("pictures/model-data-" + kind + ".svg")));
        }
        assertThat(Files.readString(folder.resolve("pictures/model-data-global-loss.svg")))
                .contains("rival, 0: 3.000")
                .contains("rival, 1: 2.500")
                .contains("rival, 2: 2.000");
        // Not evaluated after the warm-up; 2.05 is the mean over seeds.
        assertThat(Files.readString(folder.resolve("pictures/model-data-local-loss.svg")))
                .doesNotContain("rival, 1:")
                .contains("rival, 2: 2.050");
        assertThat(Files.readString(folder.resolve("pictures/model-data-drift.svg")))
                .contains("ours: A.direction, 2: 0.9000");
        // ROUGE-L of client b: 1 and 1.2 tenths of 100 for ours.
        assertThat(Files.readString(folder.resolve("pictures/model-data-clients.svg")))
                .contains("ours, b: 11.00");
        assertThat(Files.readString(folder.resolve("pictures/model-data-partition.svg")))
                .contains("b: 3 of a &lt;b&gt;")
                .contains("seed 1");
    }

    /** The seed that both have says that the rival is better; its mean over all seeds is worse than that of ours. */
    @Test
    void theBestRivalIsFoundInCommonSeeds() throws IOException {
        Suite suite = SyntheticResults.suite(folder, List.of("ours", "whole", "part"), List.of(1, 2));
        SyntheticResults.write(suite, "ours", 1, CLIENTS, 2, 2, 2, 2, 2, 2, 2, 2);
        SyntheticResults.write(suite, "ours", 2, CLIENTS, 1, 1, 1, 1, 1, 1, 1, 1);
        SyntheticResults.write(suite, "whole", 1, CLIENTS, 2, 2, 2, 2, 2, 2, 2, 2);
        SyntheticResults.write(suite, "whole", 2, CLIENTS, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1);
        SyntheticResults.write(suite, "part", 1, CLIENTS, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9);
        assertThat(new SuiteReport(SuiteResults.ofRuns(suite)).markdown())
                .contains("- local loss: ours against the best rival, part: -0.1000 (seeds: 1), p = ")
                .contains("| **1.5000 ± 0.7071** |\n| whole | 2 |")
                .contains("| 1.9000 |\n");
    }

    /** Losses of 1 to 8 in one seed and 2 to 9 in the other: worst 8 and 9, deviation 2.4495 in both. */
    @Test
    void saysHowEvenlyClientsAreServed() throws IOException {
        Suite suite = SyntheticResults.suite(folder, List.of("ours"), List.of(1, 2));
        SyntheticResults.write(suite, "ours", 1, CLIENTS, 1, 2, 3, 4, 5, 6, 7, 8);
        SyntheticResults.write(suite, "ours", 2, CLIENTS, 2, 3, 4, 5, 6, 7, 8, 9);
        assertThat(Files.readString(new SuiteReport(SuiteResults.ofRuns(suite)).write(folder)))
                .contains("<th>local ROUGE-L, worst client</th><th>std over clients</th>"
                        + "<th>local loss, worst client</th><th>std over clients</th>")
                // Of the global model every client's loss is 2; a low ROUGE-L is a bad one.
                .contains("<td>ours</td><td>20.00</td><td>0.00</td><td>2.0000</td><td>0.0000</td>"
                        + "<td>15.00</td><td>24.49</td><td>8.5000</td><td>2.4495</td>")
                .doesNotContain("took no part in training");
    }

    @Test
    void showsTheScoresOfUnseenClients() throws IOException {
        Suite suite = SyntheticResults.suite(folder, List.of("ours"), List.of(1, 2));
        SyntheticResults.write(suite, "ours", 1, CLIENTS, 1, 1, 1, 1, 1, 1, 1, 1);
        SyntheticResults.write(suite, "ours", 2, CLIENTS, 2, 2, 2, 2, 2, 2, 2, 2);
        SyntheticResults.addUnseen(suite, "ours", 1, 5);
        SyntheticResults.addUnseen(suite, "ours", 2, 7);
        String page = Files.readString(new SuiteReport(SuiteResults.ofRuns(suite)).write(folder));
        assertThat(page.substring(page.indexOf("took no part in training")))
                .contains("<td>60.00 ± 14.14</td><td>6.0000 ± 1.4142</td>");
    }

    @Test
    void saysWhatFailedAndWhatIsMissing() throws IOException {
        Suite suite = SyntheticResults.suite(folder, List.of("ours", "rival"), List.of(1));
        SyntheticResults.write(suite, "ours", 1, CLIENTS, 1, 1, 1, 1, 1, 1, 1, 1);
        Path job = suite.jobs().get(1).experiment().output();
        Files.createDirectories(job.getParent());
        Files.writeString(job.resolveSibling("seed-1.failure.txt"), "client <b>: diverged\nmore");
        assertThat(Files.readString(new SuiteReport(SuiteResults.ofRuns(suite)).write(folder)))
                .contains("1 of 2 jobs are complete")
                .contains("<li>model/data/rival/seed-1: failed: client &lt;b&gt;: diverged</li>")
                .contains("There is nothing to test");
    }

    @Test
    void exportedResultsGiveTheSameReport() throws IOException {
        SuiteResults results = results();
        results.export(folder.resolve("exported"));
        assertThat(folder.resolve("exported/model-data-ours-seed2.json")).exists();
        Suite elsewhere = new Suite(
                results.suite().name(),
                folder.resolve("elsewhere"),
                results.suite().methods(),
                results.suite().ours(),
                results.suite().seeds(),
                results.suite().jobs(),
                false);
        SuiteResults exported = SuiteResults.ofExports(elsewhere, folder.resolve("exported"));
        assertThat(new SuiteReport(exported).markdown()).isEqualTo(new SuiteReport(results).markdown());
    }

    private SuiteResults results() throws IOException {
        Suite suite = SyntheticResults.suite(folder, List.of("ours", "rival"), List.of(1, 2));
        SyntheticResults.write(suite, "ours", 1, CLIENTS, 1, 1, 1, 1, 1, 1, 1, 1);
        SyntheticResults.write(suite, "ours", 2, CLIENTS, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2);
        SyntheticResults.write(suite, "rival", 1, CLIENTS, 2, 2, 2, 2, 2, 2, 2, 2);
        SyntheticResults.write(suite, "rival", 2, CLIENTS, 2.1, 2.1, 2.1, 2.1, 2.1, 2.1, 2.1, 2.1);
        return SuiteResults.ofRuns(suite);
    }

    private static void parse(String xml) throws Exception {
        DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(xml.strip().getBytes(StandardCharsets.UTF_8)));
    }
}
