package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The {@code fedlora} script, run as users run it. */
class LauncherTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private Launcher launcher() {
        return new Launcher(folder);
    }

    @Test
    void runsFromAnyFolderAndPassesArgumentsWithSpaces() throws Exception {
        assertThat(launcher().run("--help")).isZero();
        assertThat(launcher().out()).contains("Usage: fedlora").contains("doctor");

        assertThat(launcher().run("no such $command")).isEqualTo(2);
        assertThat(launcher().err()).contains("'no such $command'");
        assertThat(launcher().out()).isEmpty();
    }

    @Test
    void doctorPrintsNothingButItsReport() throws Exception {
        assertThat(launcher().run("doctor")).isZero();
        assertThat(launcher().err()).isEmpty();
        assertThat(launcher().out().lines())
                .isNotEmpty()
                .allMatch(line ->
                        line.matches("(backend|java|cpu|threads|memory|precision|f32|bf16|setting|faster) +.*"));
    }
}
