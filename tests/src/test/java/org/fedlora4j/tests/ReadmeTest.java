package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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

/** The README's commands, run as users run them; that of the smoke suite is in {@link SmokeSuiteTest}. */
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

    private static final String DOLLY = "../shared/data/dolly/databricks-dolly-15k.jsonl";
    /** How an example is run: the repository's folder, the class, its arguments. */
    private static final String EXAMPLE = "java @%1$sjvm.options"
            + " -cp \"%1$scli/target/fedlora.jar:$(cat %1$scli/target/classpath)\""
            + " %1$sexamples/src/main/java/org/fedlora4j/examples/%2$s.java %3$s";

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
                        "./fedlora train examples/dolly-smollm2.yaml",
                        "./fedlora generate models/smollm2 --prompt 'Why is the sky blue?'",
                        "./fedlora verify models/smollm2 --reference ../shared/golden/smollm2/sft.safetensors",
                        "./fedlora export runs/dolly-smollm2 --client open_qa --to exported/open_qa",
                        "./fedlora export runs/dolly-smollm2 --merge --to exported/smollm2-dolly",
                        "./fedlora convert exported/smollm2-dolly exported/smollm2-dolly.gguf --dtype q8_0",
                        "./fedlora benchmark benchmark/suites/smoke.yaml",
                        "./fedlora analyze runs/dolly-smollm2",
                        EXAMPLE.formatted("", "FineTune", "models/smollm2 " + DOLLY + " my-adapter 20"),
                        EXAMPLE.formatted("", "Evaluate", "models/smollm2 my-adapter " + DOLLY + " 8"));
    }

    /** What it shows of an example is there, but for the indentation. */
    @Test
    void showsTheCodeThatThereIs() throws IOException {
        String readme = Files.readString(Launcher.ROOT.resolve("README.md"));
        String shown = readme.replaceAll("(?s).*```java\n(.*?)```.*", "$1");
        String source = Files.readString(
                Launcher.ROOT.resolve("examples/src/main/java/org/fedlora4j/examples/TrainFederated.java"));
        assertThat(shown).hasLineCount(9);
        assertThat(source.replaceAll("(?m)^ +", "")).contains(shown.replaceAll("(?m)^ +", ""));
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

        Path reference = Path.of(System.getProperty("fedlora.shared"), "golden/smollm2/sft.safetensors");
        for (String command : List.of(
                "verify models/smollm2 --reference "
                        + reference.toAbsolutePath().normalize(),
                "export runs/dolly-smollm2 --client open_qa --to exported/open_qa",
                "export runs/dolly-smollm2 --merge --to exported/smollm2-dolly",
                "convert exported/smollm2-dolly exported/smollm2-dolly.gguf --dtype q8_0",
                "convert exported/smollm2-dolly.gguf again --dtype bf16",
                "analyze runs/dolly-smollm2")) {
            assertThat(launcher.run(command.split(" "))).as(launcher.err()).isZero();
        }
        assertThat(launcher.run("generate", "models/smollm2", "--prompt", "Why is the sky blue?"))
                .as(launcher.err())
                .isZero();
        assertThat(launcher.out()).contains("sky");

        for (String example : List.of(
                EXAMPLE.formatted(Launcher.ROOT + "/", "FineTune", "models/smollm2 " + data + " my-adapter 1"),
                EXAMPLE.formatted(Launcher.ROOT + "/", "Evaluate", "models/smollm2 my-adapter " + data + " 1"))) {
            Process process = new ProcessBuilder("bash", "-c", example)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .start();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(printed).isZero();
            assertThat(printed).containsPattern("loss [0-9.]+");
        }
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
        result.get("rounds").forEach(round -> ((ObjectNode) round).remove("seconds"));
        ((ObjectNode) result.get("config")).remove("output");
        return result;
    }
}
