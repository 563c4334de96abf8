package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.SafetensorsWriter;
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
                .allMatch(
                        line -> line.matches(
                                "(backend|java|cpu|threads|memory|products|precision|f32|bf16|weights|kernels|setting|faster) +.*"));
    }

    /** A disk without room, as a limit on the size of files: the model has 2.6 MB, and 2 MB may be written. */
    @Test
    void aFullDiskIsOneLineAndLeavesNothing() throws Exception {
        LlamaConfig config =
                new LlamaConfig(20_000, 32, 48, 1, 4, 2, 8, 1e-5, 10_000, new RopeScaling.None(), true, 64);
        Path model = Files.createDirectory(folder.resolve("model"));
        config.write(model.resolve("config.json"));
        SafetensorsWriter weights = new SafetensorsWriter();
        ParameterNames.of(config)
                .forEach(parameter -> weights.floats(
                        parameter.name(),
                        parameter.role().shape(config),
                        new float[(int) parameter.role().elements(config)]));
        weights.write(model.resolve("model.safetensors"));

        String limited = "ulimit -f 2048 && \"$0\" convert model target";
        Process process = new ProcessBuilder(
                        "bash", "-c", limited, Launcher.ROOT.resolve("fedlora").toString())
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isEqualTo(2);
        assertThat(printed.lines()
                        .filter(line ->
                                !line.startsWith("converting: ") && !line.startsWith("WARNING: Using incubator")))
                .singleElement()
                .asString()
                .matches("fedlora: target: can't be written: .+");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(model);
        }
    }
}
