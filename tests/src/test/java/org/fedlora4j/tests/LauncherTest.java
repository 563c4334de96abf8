package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The {@code fedlora} script, run as users run it. */
class LauncherTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @Test
    void runsFromAnyFolderAndPassesArgumentsWithSpaces() throws Exception {
        assertThat(run("--help")).isZero();
        assertThat(output("out")).contains("Usage: fedlora").contains("doctor");

        assertThat(run("no such $command")).isEqualTo(2);
        assertThat(output("err")).contains("'no such $command'");
        assertThat(output("out")).isEmpty();
    }

    @Test
    void doctorPrintsNothingButItsReport() throws Exception {
        assertThat(run("doctor")).isZero();
        assertThat(output("err")).isEmpty();
        assertThat(output("out").lines())
                .isNotEmpty()
                .allMatch(line ->
                        line.matches("(backend|java|cpu|threads|memory|precision|f32|bf16|setting|faster) +.*"));
    }

    private int run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("fedlora.root"), "fedlora").toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("ended").isTrue();
        return process.exitValue();
    }

    private String output(String stream) throws IOException {
        return Files.readString(folder.resolve(stream));
    }
}
