package org.fedlora4j.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.fedlora4j.common.Progress;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs in which a client takes no part in training. */
class UnseenClientsRunTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String RECIPE = """
            name: short
            warm-up: {rounds: 1, phases: [{name: warm-up, train: [A, B], share: [A, B], steps: 2, learning-rate: 0.01}]}
            round:
              - {name: direction, train: [A.direction], share: [A.direction], steps: 2, learning-rate: 0.01}
              - {name: magnitude, train: [B.magnitude], share: [], steps: 2, learning-rate: 0.05}
            """;

    @TempDir
    private static Path folder;

    private static Result result;
    private static String shown;

    @BeforeAll
    static void runOnce() throws IOException {
        TinyModel.write(folder.resolve("model"));
        Files.writeString(folder.resolve("recipe.yaml"), RECIPE);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        result = run("run", "moo", new PrintStream(out, true, StandardCharsets.UTF_8));
        shown = out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void anUnseenClientMakesNoStepOfTheTraining() throws IOException {
        assertThat(shown)
                .containsPattern("round 1/1, direction, client 2/2 numbers, step 1/2")
                .containsPattern("unseen client sounds personalises, .+, magnitude, step 2/2: loss \\d")
                .doesNotContainPattern("client \\d/\\d sounds")
                .doesNotContain("personalises, warm-up", "direction, step 1/2: loss", "unseen client colours");
        for (String line : Files.readAllLines(folder.resolve("run/metrics.jsonl"))) {
            JsonNode clients = JSON.readTree(line).path("clients");
            if (!clients.isMissingNode()) {
                assertThat(clients.fieldNames()).toIterable().containsExactly("colours", "numbers");
            }
        }
    }

    @Test
    void itsRecordsChangeItsOwnModelOnly() throws IOException {
        run("other", "a much longer noise", discarding());
        run("again", "moo", discarding());
        Map<String, String> adapters = bytes(folder.resolve("run/adapters"));
        Map<String, String> others = bytes(folder.resolve("other/adapters"));
        String own = "unseen-sounds/adapter_model.safetensors";
        assertThat(adapters).containsKeys(own, "global/adapter_model.safetensors");
        assertThat(others.keySet()).isEqualTo(adapters.keySet());
        assertThat(others.get(own)).isNotEqualTo(adapters.get(own));
        adapters.forEach((file, content) -> {
            if (!file.startsWith("unseen-")) {
                assertThat(others.get(file)).as(file).isEqualTo(content);
            }
        });
        assertThat(bytes(folder.resolve("again/adapters"))).isEqualTo(adapters);
        assertThat(scores("again")).isEqualTo(scores("run"));
    }

    @Test
    void itIsScoredApart() throws IOException {
        Result.Scores scores = result.scores();
        assertThat(scores.clients()).extracting(Result.ClientScores::id).containsExactly("colours", "numbers");
        Result.Scores unseen = Objects.requireNonNull(scores.unseen());
        assertThat(unseen.clients()).extracting(Result.ClientScores::id).containsExactly("sounds");
        assertThat(unseen.unseen()).isNull();
        assertThat(unseen.global().loss()).isLessThan(unseen.base().loss());
        assertThat(unseen.local().loss()).isNotEqualTo(unseen.global().loss());
        // Both have 3 tests, so weights change nothing.
        assertThat(scores.global().loss())
                .isCloseTo(
                        (scores.clients().get(0).global().loss()
                                        + scores.clients().get(1).global().loss())
                                / 2,
                        within(1e-12));
        assertThat(scores("run").at("/unseen/clients/0/id").asText()).isEqualTo("sounds");
        assertThat(ResultTable.text(scores)).contains("\n\nunseen client", "\nsounds ");
        assertThat(RunAdapters.open(folder.resolve("run")).client("sounds"))
                .isEqualTo(folder.resolve("run/adapters/unseen-sounds"));
    }

    /** Where nothing is private, newcomers have the global model. */
    @Test
    void withoutPrivatePartsAnUnseenClientHasTheGlobalModel() throws IOException {
        Result shared = run("shared", "moo", discarding(), "recipe=fedavg-lora");
        Result.Scores unseen = Objects.requireNonNull(shared.scores().unseen());
        assertThat(unseen.local()).isEqualTo(unseen.global()).isNotEqualTo(unseen.base());
    }

    private static Result run(String name, String sound, PrintStream out, String... overrides) throws IOException {
        Path data = Files.writeString(folder.resolve("data.jsonl"), data(sound));
        Path yaml = Files.writeString(folder.resolve("experiment.yaml"), """
                model: %1$s/model
                output: %1$s/%2$s
                data: {train: %3$s, partition: {by: category}, max-tokens: 240, test-per-client: 3, unseen-clients: [sounds]}
                lora: {rank: 4}
                recipe: %1$s/recipe.yaml
                rounds: 1
                evaluate: {rouge: false}
                """.formatted(folder, name, data));
        AtomicLong minutes = new AtomicLong();
        Progress everything = new Progress(out, false, () -> Instant.EPOCH.plusSeconds(60 * minutes.incrementAndGet()));
        return new ExperimentRunner(ExperimentFile.load(yaml, List.of(overrides)), everything).run(ExistingRun.REFUSE);
    }

    /** Nine records of each of three categories, the last of which has the sound as its responses. */
    private static String data(String sound) {
        StringBuilder lines = new StringBuilder();
        new TreeMap<>(Map.of("colours", "red", "numbers", "one", "sounds", sound)).forEach((category, response) -> {
            for (int i = 0; i < 9; i++) {
                lines.append(JSON.createObjectNode()
                                .put("instruction", "Say no " + i + ".")
                                .put("response", response)
                                .put("category", category))
                        .append('\n');
            }
        });
        return lines.toString();
    }

    private static JsonNode scores(String run) throws IOException {
        return JSON.readTree(folder.resolve(run).resolve("result.json").toFile())
                .path("scores");
    }

    private static PrintStream discarding() {
        return new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    }

    /** By file, a character per byte. */
    private static Map<String, String> bytes(Path root) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (var paths = Files.walk(root)) {
            for (Path file : paths.filter(Files::isRegularFile).toList()) {
                files.put(root.relativize(file).toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        return files;
    }
}
