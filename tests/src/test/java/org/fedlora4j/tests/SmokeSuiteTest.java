package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The suite that comes with the project and needs nothing else, run as users run it. */
class SmokeSuiteTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @Test
    void runsAndReports() throws Exception {
        Launcher launcher = new Launcher(folder);
        String suite = Launcher.ROOT.resolve("benchmark/suites/smoke.yaml").toString();
        int code = launcher.run("benchmark", suite, "--set", "output=" + folder.resolve("smoke"));
        assertThat(launcher.err()).contains("job 6 of 6: demo/manners/local/seed-2");
        assertThat(code).isZero();
        assertThat(launcher.out())
                .containsPattern("- local loss: fedlora-optimizer against the best rival, .+: .+, p .+: .+\n")
                .contains("The report is in " + folder.resolve("smoke/report.html"));
        assertThat(Files.readString(folder.resolve("smoke/report.html")))
                .contains("6 of 6 jobs are complete")
                .contains("<svg ");
        // Six jobs, three models, four scores.
        assertThat(Files.readAllLines(folder.resolve("smoke/report.csv"))).hasSize(1 + 6 * 3 * 4);
        assertThat(folder.resolve("smoke/pictures/demo-manners-drift.svg")).exists();
    }
}
