package org.fedlora4j.benchmark.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.fedlora4j.benchmark.Result;
import org.fedlora4j.benchmark.TinyModel;
import org.fedlora4j.benchmark.suite.report.SuiteReport;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SuiteRunnerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern ALL = Pattern.compile("");
    private static final List<String> JOBS = List.of(
            "tiny/words/ours/seed-1",
            "tiny/words/averaging/seed-1",
            "tiny/words/ours/seed-2",
            "tiny/words/averaging/seed-2");

    @TempDir
    private static Path shared;

    /** Runs all of it, once. */
    private static Suite finished;

    private static String shown;

    @TempDir
    private Path folder;

    @BeforeAll
    static void runOnce() throws IOException {
        TinyModel.write(shared.resolve("model"));
        StringBuilder records = new StringBuilder();
        for (String category : List.of("colours", "sounds")) {
            for (int i = 0; i < 6; i++) {
                records.append("{\"instruction\": \"Say %d.\", \"response\": \"%s\", \"category\": \"%s\"}\n"
                        .formatted(i, i % 2 == 0 ? "red" : "moo", category));
            }
        }
        Files.writeString(shared.resolve("words.jsonl"), records);
        finished = suite(shared.resolve("finished"));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(run(finished, out)).isEmpty();
        shown = out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void everyJobHasARunFolderWithoutState() {
        for (String job : JOBS) {
            Path run = shared.resolve("finished/jobs").resolve(job);
            assertThat(run.resolve("result.json")).exists();
            assertThat(run.resolve("adapters/client-sounds/adapter_model.safetensors"))
                    .exists();
            assertThat(run.resolve("state")).doesNotExist();
        }
        assertThat(shown)
                .contains("job 1 of 4: tiny/words/ours/seed-1; how long all take is known after the first\n")
                .containsPattern("job 4 of 4: tiny/words/averaging/seed-2; about \\d+ s left for all\n");
    }

    /** The methods of a seed have the same base model and tests. */
    @Test
    void theBaseModelIsScoredOnceASeed() throws IOException {
        assertThat(shown.split("evaluating the base model on colours", -1))
                .hasSize(1 + finished.seeds().size());
        for (int job = 0; job < JOBS.size(); job += 2) {
            assertThat(result(shared.resolve("finished/jobs").resolve(JOBS.get(job + 1)))
                            .at("/scores/base"))
                    .isEqualTo(result(shared.resolve("finished/jobs").resolve(JOBS.get(job)))
                            .at("/scores/base"));
        }
    }

    @Test
    void completeJobsAreNotRunAgain() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(run(finished, out)).isEmpty();
        assertThat(out.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    /** Equal bytes but for times, although the process ended in the middle of the second job. */
    @Test
    void theSameSeedGivesTheSameBytes() throws IOException {
        Suite again = suite(folder.resolve("again"));
        assertThatThrownBy(() -> new SuiteRunner(again, new Progress(failingIn(2), false, InstantSource.system()))
                        .run(ALL, false))
                .isInstanceOf(Interrupted.class);
        assertThat(folder.resolve("again/jobs").resolve(JOBS.get(0)).resolve("result.json"))
                .exists();
        assertThat(folder.resolve("again/jobs").resolve(JOBS.get(1)).resolve("result.json"))
                .doesNotExist();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(run(again, out)).isEmpty();
        assertThat(out.toString(StandardCharsets.UTF_8)).startsWith("job 2 of 4: ");

        for (String job : JOBS) {
            Path once = shared.resolve("finished/jobs").resolve(job);
            Path twice = folder.resolve("again/jobs").resolve(job);
            assertThat(bytes(twice.resolve("adapters"))).isEqualTo(bytes(once.resolve("adapters")));
            assertThat(metrics(twice)).isEqualTo(metrics(once));
            assertThat(result(twice)).isEqualTo(result(once));
        }
        Path first = new SuiteReport(SuiteResults.ofRuns(finished)).write(folder.resolve("report"));
        Path second = new SuiteReport(SuiteResults.ofRuns(again)).write(folder.resolve("report-again"));
        assertThat(tables(second)).isNotEmpty().isEqualTo(tables(first));
        assertThat(bytes(folder.resolve("report-again/pictures"))).isEqualTo(bytes(folder.resolve("report/pictures")));
        assertThat(folder.resolve("report-again/report.csv"))
                .hasSameTextualContentAs(folder.resolve("report/report.csv"));
    }

    /** The curve: before the last round what was evaluated, after it the final scores. */
    @Test
    void resultsHaveALearningCurve() throws IOException {
        ObjectNode result = result(shared.resolve("finished/jobs").resolve(JOBS.get(0)));
        assertThat(result.path("rounds").findValuesAsText("round"))
                .containsExactly("warm-up 1/1", "round 1/2", "round 2/2");
        assertThat(result.at("/rounds/0/local").isNull()).isTrue();
        List<String> lines = metrics(shared.resolve("finished/jobs").resolve(JOBS.get(0)));
        assertThat(result.at("/rounds/1/global"))
                .isEqualTo(JSON.readTree(lines.get(lines.size() - 4)).path("global"));
        assertThat(result.at("/rounds/2/global")).isEqualTo(result.at("/scores/global"));
        assertThat(result.at("/rounds/2/local")).isEqualTo(result.at("/scores/local"));
        assertThat(result.at("/rounds/1/local/loss").asDouble())
                .isNotEqualTo(result.at("/rounds/2/local/loss").asDouble());
    }

    @Test
    void changedSettingsAreRefusedUnlessForced() throws IOException {
        copy(shared.resolve("finished"), folder.resolve("changed"));
        relocate(folder.resolve("changed"));
        String change = "experiment.evaluate.max-new-tokens=1";
        Suite changed = suite(folder.resolve("changed"), change);
        Path first = folder.resolve("changed/jobs").resolve(JOBS.get(0));
        assertThatThrownBy(() -> run(changed, OutputStream.nullOutputStream()))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        first + ": was run with evaluate.max-new-tokens 2, not 1; wanted the same, another output, or"
                                + " --force to run what has changed again");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new SuiteRunner(changed, progress(out)).run(Pattern.compile("ours/seed-1"), true);
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("job 1 of 1: tiny/words/ours/seed-1");
        assertThat(JSON.readTree(first.resolve("result.json").toFile())
                        .at("/config/evaluate/max-new-tokens")
                        .asInt())
                .isEqualTo(1);
    }

    @Test
    void aFailedJobDoesNotStopTheOthers() throws IOException {
        Suite failing = suite(
                folder.resolve("failing"),
                "methods=[{name: diverges, recipe: {name: far, round: [{name: a, train: [A, B], share: [A, B], steps: 3,"
                        + " learning-rate: 1.0e+30}]}}, {name: local, set: {evaluate.rouge: false}}]",
                "ours=local",
                "seeds=[1]",
                "experiment.rounds=1");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(run(failing, out)).containsExactly("tiny/words/diverges/seed-1");
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("failed: tiny/words/diverges/seed-1: client colours, round 1/1, phase a: ");
        SuiteResults results = SuiteResults.ofRuns(failing);
        assertThat(results.results())
                .extracting(result -> result.job().method())
                .containsExactly("local");
        Result local = results.results().get(0).result();
        assertThat(local.scores().global())
                .isEqualTo(local.scores().base())
                .isNotEqualTo(local.scores().local());
        assertThat(results.missing()).containsOnlyKeys("tiny/words/diverges/seed-1");
        assertThat(results.missing().get("tiny/words/diverges/seed-1")).contains("lower the phase's learning-rate");
    }

    @Test
    void refusesAPatternWithoutJobs() {
        assertThatThrownBy(() -> new SuiteRunner(finished, Progress.none()).run(Pattern.compile("seed-3"), false))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(
                        "--only seed-3: matches no job, wanted one of those such as tiny/words/ours/seed-1");
    }

    private static Suite suite(Path output, String... overrides) throws IOException {
        Path file = Files.writeString(shared.resolve("suite.yaml"), """
                name: tiny
                output: %s
                models: {tiny: %s/model}
                datasets: {words: {train: %2$s/words.jsonl, partition: {by: category}, test-per-client: 2}}
                methods:
                  - name: ours
                    recipe:
                      name: ours
                      warm-up: {rounds: 1, phases: [{name: w, train: [A, B], share: [A, B], steps: 1, learning-rate: 0.01}]}
                      round:
                        - {name: direction, train: [A.direction], share: [A.direction], steps: 1, learning-rate: 0.01}
                        - {name: magnitude, train: [B.magnitude], share: [], steps: 1, learning-rate: 0.05}
                  - name: averaging
                    recipe: {name: av, round: [{name: a, train: [A, B], share: [A, B], steps: 2, learning-rate: 0.01}]}
                seeds: [1, 2]
                experiment: {rounds: 2, lora: {rank: 2, dropout: 0.1}, evaluate: {max-new-tokens: 2}}
                """.formatted(output, shared));
        return SuiteFile.load(file, List.of(overrides));
    }

    private static List<String> run(Suite suite, OutputStream out) throws IOException {
        return new SuiteRunner(suite, progress(out)).run(ALL, false);
    }

    private static Progress progress(OutputStream out) {
        return new Progress(new PrintStream(out, true, StandardCharsets.UTF_8), false, InstantSource.system());
    }

    /** The run folders name where they are; a moved one would be another's. */
    private static void relocate(Path output) throws IOException {
        for (String job : JOBS) {
            Path file = output.resolve("jobs").resolve(job).resolve("experiment.yaml");
            Files.writeString(
                    file,
                    Files.readString(file).replace(shared.resolve("finished").toString(), output.toString()));
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var paths = Files.walk(from)) {
            for (Path path : paths.toList()) {
                Files.copy(path, to.resolve(from.relativize(path)));
            }
        }
    }

    /** What of a result doesn't say where or how fast it was made. */
    private static ObjectNode result(Path run) throws IOException {
        ObjectNode result =
                (ObjectNode) JSON.readTree(run.resolve("result.json").toFile());
        result.remove(List.of("seconds", "environment"));
        ((ObjectNode) result.path("config")).remove("output");
        result.path("rounds").forEach(round -> ((ObjectNode) round).remove("seconds"));
        return result;
    }

    private static List<String> metrics(Path run) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            lines.add(((ObjectNode) JSON.readTree(line)).without("seconds").toString());
        }
        return lines;
    }

    /** The tables of scores and tests. */
    private static List<String> tables(Path page) throws IOException {
        String html = Files.readString(page);
        return Pattern.compile("<h3>(Scores|Ours).*?</table>", Pattern.DOTALL)
                .matcher(html)
                .results()
                .map(match -> match.group())
                .toList();
    }

    /** By file, a character per byte. */
    private static Map<String, String> bytes(Path folder) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (var paths = Files.walk(folder)) {
            for (Path file : paths.filter(Files::isRegularFile).toList()) {
                files.put(folder.relativize(file).toString(), Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        assertThat(files).isNotEmpty();
        return files;
    }

    /** Ends the process, as it were, after the first phase of the n-th job. */
    private static PrintStream failingIn(int job) {
        return new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8) {
            private int jobs;

            @Override
            public void println(String line) {
                jobs += line.startsWith("job ") ? 1 : 0;
                if (jobs == job && line.contains("mean loss")) {
                    throw new Interrupted();
                }
            }
        };
    }

    private static final class Interrupted extends Error {
        private static final long serialVersionUID = 1L;
    }
}
