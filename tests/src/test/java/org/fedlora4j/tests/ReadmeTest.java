package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's commands, run as users run them. */
class ReadmeTest {
    /** One step a phase: what is tested is that the example runs, on the real model and data. */
    private static final String SHORT_RECIPE = """
            name: short
            warm-up:
              rounds: 1
              phases:
                - {name: warm-up, train: [A, B], share: [A, B], steps: 1, learning-rate: 1.0e-3}
            round:
              - name: direction
                train: [A.direction]
                share: [A.direction]
                steps: 1
                learning-rate: 1.0e-2
                aggregator: sphere-mean
              - {name: magnitude, train: [B.magnitude], share: [], steps: 1, learning-rate: 2.0e-2}
            """;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @Test
    void hasNoCommandThatIsNotTested() throws IOException {
        assertThat(Files.readAllLines(Launcher.ROOT.resolve("README.md")).stream()
                        .filter(line -> line.matches(" {4}(\\./fedlora|mvn|java) .*"))
                        .map(String::strip))
                .containsExactly(
                        "./fedlora demo",
                        "mvn -q verify",
                        "./fedlora doctor",
                        "java ../shared/models/Unpack.java ../shared/models/smollm2-135m-instruct /tmp/smollm2",
                        "./fedlora convert /tmp/smollm2 models/smollm2",
                        "./fedlora train examples/dolly-smollm2.yaml");
    }

    /** Then trains once in one go and once with a kill in every phase but the first: the same, bit for bit. */
    @Test
    void demoRunsAndTrainingSurvivesBeingKilled() throws Exception {
        Launcher launcher = new Launcher(folder);
        assertThat(launcher.run("demo", "--output", "demo")).as(launcher.err()).isZero();
        assertThat(launcher.out()).contains("Sharing:").contains("Personal:").containsPattern("mean +72");

        String[] train = {
            "train",
            "demo/demo.yaml",
            "--set",
            "model=demo/model",
            "--set",
            "data.train=demo/clients.jsonl",
            "--set",
            "rounds=1",
            "--set",
            "output=whole"
        };
        assertThat(launcher.run(train)).as(launcher.err()).isZero();

        train[train.length - 1] = "output=killed";
        List<String> again = new ArrayList<>(List.of(train));
        for (int phasesDone = 1; phasesDone < 5; phasesDone++) {
            Process process = launcher.start(again.toArray(String[]::new));
            Path state = folder.resolve("killed/state/%06d".formatted(phasesDone));
            while (!Files.exists(state)) {
                assertThat(process.isAlive()).as(launcher.err()).isTrue();
                Thread.sleep(5);
            }
            process.destroyForcibly().waitFor(1, TimeUnit.MINUTES);
            assertThat(folder.resolve("killed/result.json")).doesNotExist();
            if (phasesDone == 1) {
                again.add("--resume");
            }
        }
        assertThat(launcher.run(again.toArray(String[]::new)))
                .as(launcher.err())
                .isZero();

        assertThat(adapters("killed")).hasSize(7 * 3).usingRecursiveComparison().isEqualTo(adapters("whole"));
        assertThat(withoutTimes("killed")).isEqualTo(withoutTimes("whole"));
    }

    @Test
    @Tag("real")
    void convertsAndTrainsTheRealModel() throws Exception {
        RealModel.unpack(folder.resolve("hugging-face"));
        Launcher launcher = new Launcher(folder);
        assertThat(launcher.run("convert", "hugging-face", "models/smollm2"))
                .as(launcher.err())
                .isZero();
        Files.writeString(folder.resolve("short.yaml"), SHORT_RECIPE);
        Path data = Path.of(System.getProperty("fedlora.shared"), "data/dolly/databricks-dolly-15k.jsonl");
        int exit = launcher.run(
                "train",
                Launcher.ROOT.resolve("examples/dolly-smollm2.yaml").toString(),
                "--set=data.train=" + data.toAbsolutePath().normalize(),
                "--set=data.max-tokens=128",
                "--set=data.train-per-client=2",
                "--set=data.test-per-client=1",
                "--set=recipe=short.yaml",
                "--set=rounds=1",
                "--set=evaluate.max-new-tokens=4");
        assertThat(exit).as(launcher.err()).isZero();
        assertThat(launcher.out()).containsPattern("(?m)^summarization ").containsPattern("(?m)^mean ");
        assertThat(adapters("runs/dolly-smollm2")).hasSize(9 * 3);
    }

    private Map<String, byte[]> adapters(String run) throws IOException {
        Path adapters = folder.resolve(run).resolve("adapters");
        Map<String, byte[]> contents = new TreeMap<>(String::compareTo);
        try (Stream<Path> files = Files.walk(adapters)) {
            files.filter(Files::isRegularFile).forEach(file -> {
                try {
                    contents.put(adapters.relativize(file).toString(), Files.readAllBytes(file));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        return contents;
    }

    /** The result but for what differs between any two runs: the time it took and its own folder. */
    private JsonNode withoutTimes(String run) throws IOException {
        ObjectNode result = (ObjectNode) new ObjectMapper()
                .readTree(folder.resolve(run).resolve("result.json").toFile());
        result.remove("seconds");
        ((ObjectNode) result.get("config")).remove("output");
        return result;
    }
}
