package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
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

    /** Here a backend that this build is without; what can be wrong with a GPU takes the same way. */
    @Test
    void aBackendThatCannotBeUsedIsOneLineOfEveryCommandThatComputes() throws Exception {
        String model = Launcher.ROOT.resolve("tests/golden/toy/gqa-tied-bf16").toString();
        String suite = Launcher.ROOT.resolve("benchmark/suites/smoke.yaml").toString();
        for (String[] command : new String[][] {
            {"doctor"},
            {"doctor", "--json"},
            {"demo"},
            {"benchmark", suite},
            {"generate", model, "--prompt", "x"},
            {"verify", model, "--reference", model + "/reference.safetensors"}
        }) {
            Process process = launcher().start(Map.of("JAVA_OPTS", "-Dfedlora.backend=cuda"), command);
            assertThat(process.waitFor()).as(command[0]).isEqualTo(2);
            assertThat(launcher().err())
                    .isEqualTo(
                            "fedlora: fedlora.backend: found cuda, which this build is without; wanted cpu, or a build "
                                    + "with mvn -P cuda (docs/gpu.md)\n");
            assertThat(launcher().out()).as(command[0]).isEmpty();
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(Path::getFileName).map(Path::toString)).containsExactlyInAnyOrder("out", "err");
        }
    }

    /** By a Maven that only says how it was called, and leaves a class path without Java classes. */
    @Test
    void whatWasBuiltForGpusIsBuiltForThemAgain() throws Exception {
        Path script = Files.copy(Launcher.ROOT.resolve("fedlora"), folder.resolve("fedlora"));
        Files.copy(Launcher.ROOT.resolve("jvm.options"), folder.resolve("jvm.options"));
        Files.createDirectories(folder.resolve("cli/src/main"));
        Files.writeString(folder.resolve("cli/pom.xml"), "");
        Path classPath = Files.createDirectories(folder.resolve("cli/target")).resolve("classpath");
        Path bin = Files.createDirectory(folder.resolve("bin"));
        Path maven = bin.resolve("mvn");
        Files.writeString(maven, "#!/bin/sh\necho \"mvn $*\"\n");
        assertThat(maven.toFile().setExecutable(true)).isTrue();

        Files.writeString(classPath, "/repository/nd4j-native.jar");
        assertThat(rebuild(script, bin, classPath)).contains("mvn -q -pl cli -am");
        Files.writeString(classPath, "/repository/nd4j-cuda-11.6.jar:/repository/nd4j-native.jar");
        assertThat(rebuild(script, bin, classPath)).contains("mvn -q -P cuda -pl cli -am");
    }

    /** What the script prints where its sources are newer than what was built. */
    private static String rebuild(Path script, Path bin, Path classPath) throws Exception {
        Files.setLastModifiedTime(classPath, FileTime.fromMillis(0));
        Files.writeString(script.resolveSibling("pom.xml"), "");
        ProcessBuilder builder = new ProcessBuilder(script.toString(), "doctor").redirectErrorStream(true);
        builder.environment().merge("PATH", bin.toString(), (path, first) -> first + File.pathSeparator + path);
        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return printed;
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
