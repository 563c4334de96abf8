package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchmarkCommandTest {
    @TempDir
    private Path folder;

    @Test
    void runsReportsExportsAndUpdates() throws IOException {
        Path suite = suite();
        Path readme =
                Files.writeString(folder.resolve("README.md"), "a\n<!-- quick:begin -->\n<!-- quick:end -->\nb\n");
        Cli first = Cli.run("benchmark", suite, "--only", "seed-1", "--export", folder.resolve("exported"));
        assertThat(first.err()).isEmpty();
        assertThat(first.code()).isZero();
        assertThat(first.out())
                .contains("| **fedavg-lora** | 1 | ")
                .contains("The report is in " + folder.resolve("out/report.html"));
        assertThat(folder.resolve("exported/demo-manners-local-seed1.json")).exists();

        Cli again = Cli.run(
                "benchmark",
                suite,
                "--set",
                "output=" + folder.resolve("again"),
                "--results",
                folder.resolve("exported"),
                "--update",
                readme);
        assertThat(again.code()).isZero();
        assertThat(folder.resolve("again/report.html")).exists();
        assertThat(folder.resolve("again/jobs")).doesNotExist();
        assertThat(Files.readString(readme))
                .startsWith("a\n<!-- quick:begin -->\n**demo, manners**\n")
                .endsWith("<!-- quick:end -->\nb\n");
    }

    @Test
    void aFailedJobMakesTheCommandFail() throws IOException {
        Cli cli = Cli.run("benchmark", suite(), "--only", "local/seed-1", "--set", "experiment.lora.rank=1000");
        assertThat(cli.code()).isEqualTo(1);
        assertThat(cli.err()).isEqualToIgnoringNewLines("failed: demo/manners/local/seed-1");
    }

    @Test
    void refusesWhatIsWrong() throws IOException {
        assertRefused("no-such.yaml: no such file; wanted a suite in YAML", "no-such.yaml");
        assertRefused("--only (: Unclosed group, wanted a regular expression", suite(), "--only", "(");
        assertRefused("--only seed-9: matches no job", suite(), "--only", "seed-9");
        assertRefused("out: no job is complete, wanted at least one to report on", suite(), "--report-only");
        assertRefused("holds no result of the suite, wanted some such as demo-manners-", suite(), "--results", folder);
        Path document = Files.writeString(folder.resolve("notes.md"), "no markers");
        assertRefused(document + ": found no block, wanted a line <!-- quick:begin -->", suite(), "--update", document);
        assertRefused("mutually exclusive", suite(), "--report-only", "--results", folder);
        assertThat(folder.resolve("out")).doesNotExist();
    }

    private static void assertRefused(String message, Object... arguments) {
        Object[] all = new Object[arguments.length + 1];
        all[0] = "benchmark";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        Cli cli = Cli.run(all);
        assertThat(cli.code()).isEqualTo(2);
        assertThat(cli.err().lines()).hasSize(1);
        assertThat(cli.err()).contains(message);
    }

    /** On the embedded model, a step a phase. */
    private Path suite() throws IOException {
        return Files.writeString(folder.resolve("suite.yaml"), """
                name: quick
                output: %s/out
                models: {demo: embedded}
                datasets:
                  manners: {train: embedded, template: short, partition: {by: category}, max-tokens: 32, test-per-client: 2}
                methods:
                  - name: fedavg-lora
                    recipe: {name: a, round: [{name: a, train: [A, B], share: [A, B], steps: 1, learning-rate: 0.01}]}
                  - name: local
                    recipe: {name: l, round: [{name: l, train: [A, B], share: [], steps: 1, learning-rate: 0.01}]}
                seeds: [1, 2]
                experiment: {rounds: 1, evaluate: {max-new-tokens: 2}}
                """.formatted(folder));
    }
}
