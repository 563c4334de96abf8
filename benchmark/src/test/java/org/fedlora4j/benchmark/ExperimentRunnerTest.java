package org.fedlora4j.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Precision;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExperimentRunnerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> CLIENTS = List.of("colours", "numbers", "sounds");

    /** Few steps, but every kind of phase. */
    private static final String RECIPE = """
            name: short
            warm-up: {rounds: 1, phases: [{name: warm-up, train: [A, B], share: [A, B], steps: 2, learning-rate: 0.01}]}
            round:
              - {name: adapt, train: [A, B], share: [A, B], steps: 2, learning-rate: 0.01}
              - {name: direction, train: [A.direction], share: [A.direction], steps: 2, learning-rate: 0.01,
                 server: {optimizer: momentum}}
              - {name: magnitude, train: [B.magnitude], share: [], steps: 2, learning-rate: 0.05}
            """;

    /** What makes a run short. */
    private static final String[] QUICK = {"rounds=1", "recipe=local", "evaluate.rouge=false", "data.test-per-client=1"
    };

    @TempDir
    private static Path shared;

    /** An uninterrupted run. */
    private static Path finished;

    private static Result result;
    private static String shown;

    @TempDir
    private Path folder;

    @BeforeAll
    static void runOnce() throws IOException {
        TinyModel.write(shared.resolve("model"));
        Files.writeString(shared.resolve("recipe.yaml"), RECIPE);
        Files.writeString(shared.resolve("data.jsonl"), data());
        finished = shared.resolve("run");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        result = new ExperimentRunner(
                        experiment(finished), everything(new PrintStream(out, true, StandardCharsets.UTF_8)))
                .run(ExistingRun.REFUSE);
        shown = out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void writesTheRunFolder() throws IOException {
        assertThat(finished)
                .isDirectoryContaining("glob:**/experiment.yaml")
                .isDirectoryContaining("glob:**/metrics.jsonl")
                .isDirectoryContaining("glob:**/state")
                .isDirectoryContaining("glob:**/result.json");
        assertThat(ExperimentFile.load(finished.resolve("experiment.yaml"), List.of()))
                .isEqualTo(experiment(finished));
        LlamaConfig model = LlamaConfig.read(shared.resolve("model/config.json"));
        for (String adapter : List.of("global", "client-colours", "client-numbers", "client-sounds")) {
            assertThat(PeftAdapter.read(finished.resolve("adapters").resolve(adapter), model)
                            .modules())
                    .hasSize(4);
        }
        assertThat(bytes(finished.resolve("adapters/global")))
                .isNotEqualTo(bytes(finished.resolve("adapters/client-colours")));
    }

    @Test
    void theResultHasTheFieldsOfTheDesign() throws IOException {
        JsonNode json = JSON.readTree(finished.resolve("result.json").toFile());
        assertThat(json).isEqualTo(JSON.readTree(result.toJson()));
        assertThat(json.fieldNames())
                .toIterable()
                .containsExactly(
                        "config",
                        "environment",
                        "seconds",
                        "tokens",
                        "paddedShare",
                        "scores",
                        "rounds",
                        "drift",
                        "bytesPerRound",
                        "skippedRecords",
                        "data",
                        "partition");
        assertThat(json.at("/data/total/trainExamples").asInt()).isEqualTo(18);
        assertThat(json.at("/data/clients/colours/testExamples").asInt()).isEqualTo(3);
        assertThat(json.at("/partition/sounds/sounds").asInt()).isEqualTo(9);
        assertThat(json.path("skippedRecords").asLong()).isZero();
        assertThat(json.at("/config/recipe/name").asText()).isEqualTo("short");
        assertThat(json.at("/environment/machine/cores").asInt()).isPositive();
        assertThat(json.at("/environment/versions/nd4j").asText()).matches("1\\.0\\..+");
        assertThat(json.path("tokens").asLong()).isPositive();
        assertThat(json.path("paddedShare").asDouble()).isBetween(0.01, 0.9);
        assertThat(json.path("scores").fieldNames())
                .toIterable()
                .containsExactly("base", "global", "local", "plainMeans", "spread", "worst", "clients", "unseen");
        assertThat(json.path("scores").path("unseen").isNull()).isTrue();
        for (String perModel : List.of("plainMeans", "spread", "worst")) {
            assertThat(json.path("scores").path(perModel).fieldNames())
                    .toIterable()
                    .containsExactly("base", "global", "local");
        }
        assertThat(json.path("scores").path("clients").findValuesAsText("id")).isEqualTo(CLIENTS);
        for (JsonNode client : json.path("scores").path("clients")) {
            for (String subject : List.of("base", "global", "local")) {
                JsonNode scores = client.path(subject);
                assertThat(scores.fieldNames())
                        .toIterable()
                        .containsExactly(
                                "loss",
                                "perplexity",
                                "tokenAccuracy",
                                "rouge1",
                                "rouge2",
                                "rougeL",
                                "exactMatch",
                                "examples");
                assertThat(Math.log(scores.path("perplexity").asDouble()))
                        .isCloseTo(scores.path("loss").asDouble(), within(1e-9));
                assertThat(scores.path("rougeL").asDouble()).isBetween(0.0, 1.0);
                assertThat(scores.path("examples").asInt())
                        .isEqualTo(client.path("examples").asInt())
                        .isEqualTo(3);
            }
        }
        assertThat(json.path("drift").findValuesAsText("round")).containsExactly("round 1/2", "round 2/2");
        assertThat(json.path("drift").get(0).at("/resultants/A.direction").asDouble())
                .isBetween(0.5, 1.0);
        // q [32, 32] and v [16, 32] of 2 layers, rank 4: A is 2 x 4 x 32 values a layer, B 4 x (32 + 16).
        assertThat(json.at("/bytesPerRound/direction/up").asLong()).isEqualTo(4 * 2 * 256);
        assertThat(json.at("/bytesPerRound/adapt/down").asLong()).isEqualTo(4 * 2 * (256 + 192));
        assertThat(json.at("/bytesPerRound/magnitude/up").asLong()).isZero();
    }

    @Test
    void trainingLowersTheLoss() {
        Result.Scores scores = result.scores();
        assertThat(scores.global().loss()).isLessThan(scores.base().loss());
        assertThat(scores.local().loss())
                .isLessThan(scores.base().loss())
                .isNotEqualTo(scores.global().loss());
    }

    @Test
    void recordsEveryPhaseAndRound() throws IOException {
        List<String> lines = new ArrayList<>();
        for (JsonNode line : metrics(finished)) {
            lines.add(line.path("round").asText() + " " + line.path("phase").asText("-")
                    + (line.has("global") ? " scored" : ""));
        }
        assertThat(lines)
                .containsExactly(
                        "warm-up 1/1 warm-up",
                        "warm-up 1/1 - scored",
                        "round 1/2 adapt",
                        "round 1/2 direction",
                        "round 1/2 magnitude",
                        "round 1/2 - scored",
                        "round 2/2 adapt",
                        "round 2/2 direction",
                        "round 2/2 magnitude",
                        "round 2/2 -");
        assertThat(metrics(finished).get(0).path("clients").fieldNames())
                .toIterable()
                .containsExactlyElementsOf(CLIENTS);
    }

    @Test
    void showsHowItGoesOn() {
        assertThat(shown)
                .contains("client       1      2      3    all")
                .contains(
                        "colours: 6 training and 3 test examples, 0 of them cut off at 240 tokens; of 9 records 0 have too long")
                .containsPattern(
                        "round 1/2, direction, client 2/3 numbers, step 1/2: loss \\d+\\.\\d+, \\d+ tokens/s, .+ left")
                .containsPattern("round 2/2, magnitude: mean loss \\d\\.\\d+, \\d+ tokens, \\d+\\.\\d % padding")
                .contains("evaluating the local model of sounds, generating: 0 of 3 examples");
    }

    @Test
    void theTableComparesTheModels() {
        String table = ResultTable.text(result.scores());
        assertThat(table.lines().skip(1).map(line -> line.substring(0, 23)))
                .containsExactly(
                        "client            tests",
                        "colours               3",
                        "numbers               3",
                        "sounds                3",
                        "mean                  9",
                        "mean by tests         9",
                        "worst client           ",
                        "std over clients       ");
        assertThat(table)
                .contains("token accuracy")
                .contains("ROUGE-L")
                .contains(String.format(
                        Locale.ROOT,
                        "%8.4f%8.4f%8.4f",
                        result.scores().base().loss(),
                        result.scores().global().loss(),
                        result.scores().local().loss()));
    }

    /** Trained at one place, scored on every client's tests; three clients' steps, of which it shows the right number. */
    @Test
    void aPooledRunHasOneClientAndEverybodysScores() throws IOException {
        Path run = folder.resolve("run");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Result pooled = new ExperimentRunner(
                        experiment(
                                run,
                                "recipe={name: p, pooled: true, round: [{name: adapt, train: [A, B], share: [A, B],"
                                        + " steps: 2, learning-rate: 0.01}]}",
                                "evaluate.rouge=false"),
                        everything(new PrintStream(out, true, StandardCharsets.UTF_8)))
                .run(ExistingRun.REFUSE);
        assertThat(pooled.scores().clients())
                .extracting(Result.ClientScores::id)
                .isEqualTo(CLIENTS);
        assertThat(pooled.scores().local()).isEqualTo(pooled.scores().global());
        assertThat(metrics(run).get(0).path("clients").fieldNames())
                .toIterable()
                .containsExactly("all");
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("round 2/2, adapt, client 1/1 all, step 6/6")
                .containsPattern("client 1/1 all, step 6/6: loss .+, 0 s of training left");
        assertThat(run.resolve("adapters/client-all")).isDirectory();
    }

    /** Before the finish nobody has anything private, so local scores are the global ones. */
    @Test
    void aFinishIsARoundOfItsOwn() throws IOException {
        Path run = folder.resolve("run");
        Result finish = new ExperimentRunner(
                        experiment(
                                run,
                                "recipe={name: f, round: [{name: adapt, train: [A, B], share: [A, B], steps: 2,"
                                        + " learning-rate: 0.01}], finish: [{name: alone, train: [A, B], share: [],"
                                        + " steps: 2, learning-rate: 0.01}]}",
                                "evaluate.rouge=false"),
                        Progress.none())
                .run(ExistingRun.REFUSE);
        List<JsonNode> lines = metrics(run);
        assertThat(lines)
                .extracting(line ->
                        line.path("round").asText() + " " + line.path("phase").asText("-"))
                .containsExactly(
                        "round 1/2 adapt", "round 1/2 -", "round 2/2 adapt", "round 2/2 -", "finish alone", "finish -");
        assertThat(lines.get(3).path("global").isObject()).isTrue();
        assertThat(lines.get(3).path("local")).isEqualTo(lines.get(3).path("global"));
        assertThat(lines.get(5).has("global")).isFalse();
        assertThat(finish.scores().local()).isNotEqualTo(finish.scores().global());
    }

    /** Each text is shown in another phase, or in evaluation. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "warm-up 1/1, warm-up, client 2/3",
                "evaluating the local model of numbers",
                "round 2/2, adapt, client 3/3",
                "round 2/2, direction, client 1/3",
                "round 2/2, magnitude, client 2/3",
                "round 2/2, magnitude: mean loss",
                "evaluating the base model on colours"
            })
    void aResumedRunEndsAsIfNeverInterrupted(String at) throws IOException {
        Experiment experiment = experiment(folder.resolve("run"));
        assertThatThrownBy(() -> new ExperimentRunner(experiment, everything(failingAt(at))).run(ExistingRun.REFUSE))
                .isInstanceOf(Interrupted.class);
        resume(experiment);

        Path run = experiment.output();
        assertThat(bytes(run.resolve("adapters"))).isEqualTo(bytes(finished.resolve("adapters")));
        JsonNode resumed = JSON.readTree(run.resolve("result.json").toFile());
        JsonNode whole = JSON.readTree(finished.resolve("result.json").toFile());
        for (String field : List.of("tokens", "paddedShare", "scores", "drift", "bytesPerRound")) {
            assertThat(resumed.path(field)).isEqualTo(whole.path(field));
        }
        assertThat(metrics(run)).isEqualTo(metrics(finished));
    }

    @Test
    void leavesAnExistingRunAlone() throws IOException {
        Path run = folder.resolve("run");
        Files.createDirectories(run);
        Files.writeString(run.resolve("experiment.yaml"), ExperimentFile.toYaml(experiment(run)));
        assertThatThrownBy(() -> run(experiment(run)))
                .isInstanceOf(BadInputException.class)
                .hasMessage(run + ": holds a run, wanted another output, --resume or --force");
        Experiment other = experiment(run, "rounds=1", "lora.rank=2");
        assertThatThrownBy(() -> new ExperimentRunner(other, Progress.none()).run(ExistingRun.RESUME))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("lora.rank 4, not 2; rounds 2, not 1; wanted the same to resume");
    }

    /** As if begun on another kind of CPU. */
    @Test
    void resumesInNoOtherPrecision() throws IOException {
        Path run = folder.resolve("run");
        Experiment experiment = experiment(run, QUICK);
        run(experiment);
        Path state = run.resolve("state/run.json");
        Precision.Choice here = Precision.choose("auto");
        assertThat(Files.readString(state)).isEqualTo("{\"precision\":\"" + here.precision() + "\"}\n");

        Precision other = here.precision() == Precision.F32 ? Precision.BF16 : Precision.F32;
        Files.writeString(state, "{\"precision\": \"" + other + "\"}");
        assertThatThrownBy(() -> resume(experiment))
                .isInstanceOf(BadInputException.class)
                .hasMessage(state + ": precision: found " + other + ", wanted " + here.precision()
                        + ", in which the run would go on (" + here.reason() + "); set precision: " + other
                        + " to resume, or begin another run");
        if (other == Precision.F32) {
            String[] named = Arrays.copyOf(QUICK, QUICK.length + 1);
            named[QUICK.length] = "precision=f32";
            assertThat(resume(experiment(run, named)).environment().precision()).isEqualTo("f32");
        }

        Files.writeString(state, "{\"precision\": 16}");
        assertThatThrownBy(() -> resume(experiment))
                .isInstanceOf(BadInputException.class)
                .hasMessage(state + ": precision: found 16, wanted \"f32\", \"bf16\" or \"f16\"");
        Files.writeString(state, "bf16");
        assertThatThrownBy(() -> resume(experiment))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(state + ": not JSON: ");
    }

    @Test
    void theModelIsOpenedAsTheExperimentSays() throws IOException {
        Map<Precision, Double> losses = new EnumMap<>(Precision.class);
        for (Precision precision : Precision.values()) {
            String[] settings = Arrays.copyOf(QUICK, QUICK.length + 2);
            settings[QUICK.length] = "precision=" + precision;
            settings[QUICK.length + 1] = "recompute=layer";
            boolean only16Bits =
                    precision == Precision.BF16 && Precision.choose("auto").precision() == Precision.F32;
            if (only16Bits || precision == Precision.F16) {
                assertRefused("precision: " + precision + " can't be had here", "precision=" + precision);
                continue;
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            Result result = new ExperimentRunner(
                            experiment(folder.resolve("in-" + precision), settings),
                            everything(new PrintStream(out, true, StandardCharsets.UTF_8)))
                    .run(ExistingRun.REFUSE);
            assertThat(result.environment().precision()).isEqualTo(precision.toString());
            assertThat(out.toString(StandardCharsets.UTF_8))
                    .contains("precision " + precision + ": asked for\n")
                    .contains("recompute layer\n");
            losses.put(precision, result.scores().base().loss());
        }
        assertThat(losses.values()).doesNotHaveDuplicates();
    }

    /** Ranks 1, 4 and 4: what is sent is 3/4 of it all, see {@link #theResultHasTheFieldsOfTheDesign}. */
    @Test
    void aClientOfALowerRankHasAModelOfItsOwn() throws IOException {
        Path run = folder.resolve("run");
        Experiment experiment =
                experiment(run, "rounds=1", "recipe=flexlora", "evaluate.rouge=false", "lora.client-ranks.numbers=1");
        run(experiment);

        JsonNode json = JSON.readTree(run.resolve("result.json").toFile());
        assertThat(json.at("/config/lora/client-ranks/numbers").asInt()).isEqualTo(1);
        assertThat(json.at("/bytesPerRound/adapt/up").asLong()).isEqualTo(4 * 2 * (256 + 192) * 3 / 4);
        for (JsonNode client : json.at("/scores/clients")) {
            assertThat(client.path("local").equals(client.path("global")))
                    .isEqualTo(!client.path("id").asText().equals("numbers"));
        }
        LlamaConfig model = LlamaConfig.read(shared.resolve("model/config.json"));
        AdapterState global = PeftAdapter.read(run.resolve("adapters/global"), model);
        assertThat(PeftAdapter.read(run.resolve("adapters/client-numbers"), model))
                .isEqualTo(global.cutTo(1));
        assertThat(PeftAdapter.read(run.resolve("adapters/client-sounds"), model))
                .isEqualTo(global);
    }

    @Test
    void replacesARunButNothingElse() throws IOException {
        Path run = folder.resolve("run");
        Files.createDirectories(run);
        Files.writeString(run.resolve("thesis.tex"), "years of work");
        for (ExistingRun choice : ExistingRun.values()) {
            assertThatThrownBy(() -> new ExperimentRunner(experiment(run), Progress.none()).run(choice))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage(run + ": exists and holds no run, wanted another output");
        }
        assertThat(run.resolve("thesis.tex")).exists();

        Files.move(run.resolve("thesis.tex"), run.resolve("old-result"));
        Files.writeString(run.resolve("experiment.yaml"), "an older run");
        Result replaced = new ExperimentRunner(experiment(run, QUICK), Progress.none()).run(ExistingRun.REPLACE);
        assertThat(run.resolve("old-result")).doesNotExist();
        assertThat(run.resolve("result.json")).exists();
        assertThat(replaced.scores().local().rougeL()).isNull();
        assertThat(ResultTable.text(replaced.scores())).contains("       -       -       -\n");
    }

    @Test
    void countsBadRecordsThatItSkips() throws IOException {
        Path spoilt = Files.writeString(folder.resolve("spoilt.jsonl"), data() + "{}\n".repeat(7));
        Path run = folder.resolve("run");
        String[] settings = {"data.train=" + spoilt, "rounds=1", "recipe=local", "evaluate.rouge=false"};
        assertThatThrownBy(() -> run(experiment(run, settings)))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(spoilt + " line 28: no instruction");
        assertThat(run).doesNotExist();

        List<String> skipping = new ArrayList<>(List.of(settings));
        skipping.add("data.skip-bad-records=true");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Result skipped = new ExperimentRunner(
                        experiment(run, skipping.toArray(String[]::new)),
                        everything(new PrintStream(out, true, StandardCharsets.UTF_8)))
                .run(ExistingRun.REFUSE);
        assertThat(skipped.skippedRecords()).isEqualTo(7);
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("skipped: " + spoilt + " line 32")
                .doesNotContain("skipped: " + spoilt + " line 33")
                .contains("skipped 7 bad records");
    }

    @Test
    void refusesWhatDoesNotFitTogether() throws IOException {
        assertRefused(
                "data.max-tokens: 513, wanted at most the model's max_position_embeddings, 512", "data.max-tokens=513");
        assertRefused("client colours: 0 records have a prompt of less than 100 tokens", "data.max-tokens=100");
        assertRefused("rank 17 of model.layers.0.self_attn.v_proj", "lora.rank=17");
        assertRefused(
                "lora.client-ranks.smells: no client of that name, wanted some of [colours, numbers, sounds]",
                "lora.client-ranks={colours: 2, smells: 2}");
        assertRefused(
                "client colours: rank 2, wanted a recipe that shares whole matrices", "lora.client-ranks.colours=2");
        assertRefused("no-such-model", "model=no-such-model");
        assertRefused("no-such-data: no such file; wanted JSON Lines, JSON, CSV or Parquet", "data.train=no-such-data");
        assertRefused("27 records for 14 clients", "data.partition={iid: 14}");
        Path model = folder.resolve("model");
        TinyModel.write(model);
        TinyModel.writeTokenizer(model, TinyModel.VOCABULARY_SIZE + 1);
        assertRefused("the tokenizer has ids up to 98, wanted less than the model's vocab_size, 98", "model=" + model);
    }

    private void assertRefused(String message, String override) {
        Path run = folder.resolve("refused");
        assertThatThrownBy(() -> run(experiment(run, override)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(message);
        assertThat(run).doesNotExist();
    }

    private static void run(Experiment experiment) throws IOException {
        new ExperimentRunner(experiment, Progress.none()).run(ExistingRun.REFUSE);
    }

    private static Result resume(Experiment experiment) throws IOException {
        return new ExperimentRunner(experiment, Progress.none()).run(ExistingRun.RESUME);
    }

    private static Experiment experiment(Path output, String... overrides) throws IOException {
        Path file = shared.resolve("experiment.yaml");
        Files.writeString(file, """
                model: %s/model
                output: %s
                data: {train: %1$s/data.jsonl, partition: {by: category}, max-tokens: 240, test-per-client: 3}
                lora: {rank: 4, dropout: 0.1}
                recipe: %1$s/recipe.yaml
                rounds: 2
                evaluate: {max-new-tokens: 5, batch-size: 2}
                """.formatted(shared, output));
        return ExperimentFile.load(file, List.of(overrides));
    }

    /** Nine records of each of three categories. */
    private static String data() {
        Map<String, List<String>> words = new TreeMap<>(Map.of(
                "colours", List.of("red", "green", "blue"),
                "numbers", List.of("one", "two", "three"),
                "sounds", List.of("moo", "woof", "meow")));
        StringBuilder lines = new StringBuilder();
        words.forEach((category, responses) -> {
            for (int i = 0; i < 9; i++) {
                lines.append(JSON.createObjectNode()
                                .put("instruction", "Say no " + i + ".")
                                .put("response", responses.get(i % 3))
                                .put("category", category))
                        .append('\n');
            }
        });
        return lines.toString();
    }

    /** The lines without times. */
    private static List<JsonNode> metrics(Path run) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            ObjectNode node = (ObjectNode) JSON.readTree(line);
            lines.add(node.without("seconds"));
        }
        return lines;
    }

    /** By file, a character per byte. */
    private static Map<String, String> bytes(Path folder) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (var paths = Files.walk(folder)) {
            for (Path file : paths.filter(Files::isRegularFile).toList()) {
                files.put(folder.relativize(file).toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        return files;
    }

    /** Shows every status, as the clock runs a minute a look. */
    private static Progress everything(PrintStream out) {
        AtomicLong minutes = new AtomicLong();
        return new Progress(out, false, () -> Instant.EPOCH.plusSeconds(60 * minutes.incrementAndGet()));
    }

    private static PrintStream failingAt(String text) {
        return new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8) {
            @Override
            public void println(String line) {
                if (line.startsWith(text)) {
                    throw new Interrupted();
                }
            }
        };
    }

    /** Stands for the end of the process. */
    private static final class Interrupted extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
