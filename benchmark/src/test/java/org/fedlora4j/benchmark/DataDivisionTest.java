package org.fedlora4j.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.data.InstructionData;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.tokenizer.Tokenizer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDivisionTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A character is a token. */
    @TempDir
    private static Path model;

    @TempDir
    private Path folder;

    private String shown = "";

    @BeforeAll
    static void writeTokenizer() throws IOException {
        TinyModel.writeTokenizer(model, TinyModel.VOCABULARY_SIZE);
    }

    /**
     * The prompt of an instruction of n characters is "Q: ", n, line end and "A: ": n + 7 tokens. Of 19 tokens it
     * leaves 8 to a response of 7 with its eos if n is 4, 1 if n is 11, and none if n is 12.
     */
    @Test
    void everyRecordIsCounted() throws IOException {
        ArrayNode records = JSON.createArrayNode();
        for (int i = 0; i < 4; i++) {
            add(records, "x".repeat(4), "r".repeat(7), "fits");
            add(records, "x".repeat(4), "r".repeat(8), "cut");
            add(records, "x".repeat(11), "r", "cut");
            add(records, "x".repeat(i < 2 ? 12 : 4), "r", "fits");
        }
        Path file = Files.writeString(folder.resolve("data.json"), records.toString());

        ExperimentData data = divide(file, "data.max-tokens=19");
        // fits: 8 records, 2 of them without room, 3 to train and 3 to test; cut: 8 records, each cut off.
        assertThat(data.counts().clients())
                .isEqualTo(Map.of(
                        "fits", new DataCounts.Client(8, 2, 0, 3, 3, 0),
                        "cut", new DataCounts.Client(8, 0, 0, 4, 4, 8)));
        assertThat(data.counts().total()).isEqualTo(new DataCounts.Client(16, 2, 0, 7, 7, 8));
        assertThat(data.counts().split()).isNull();
        assertThat(data.counts().summary())
                .isEqualTo(
                        "records: 16; 7 training and 7 test examples, 8 of them cut off; 2 records without room for a"
                                + " response, 0 more than is drawn");
        assertThat(shown)
                .contains(
                        "fits: 3 training and 3 test examples, 0 of them cut off at 19 tokens; of 8 records 2 have too"
                                + " long a prompt and 0 are more than is drawn");

        ExperimentData limited =
                divide(file, "data.max-tokens=19", "data.train-per-client=2", "data.test-per-client=1");
        assertThat(limited.counts().clients())
                .isEqualTo(Map.of(
                        "fits", new DataCounts.Client(8, 2, 3, 2, 1, 0),
                        "cut", new DataCounts.Client(8, 0, 5, 2, 1, 3)));
        assertThat(limited.partition()).isEqualTo(data.partition());
    }

    @Test
    void theClientsWithTooFewRecordsAreNamedTogether() throws IOException {
        ArrayNode records = JSON.createArrayNode();
        for (int client = 0; client < 9; client++) {
            add(records, "x", "r", "client" + client);
            add(records, client < 7 ? "x".repeat(300) : "x", "r", "client" + client);
        }
        Path file = Files.writeString(folder.resolve("data.json"), records.toString());
        assertThatThrownBy(() -> divide(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(
                        "client client0: 1 records have a prompt of less than 256 tokens, wanted at least 2: a larger"
                                + " data.max-tokens; client client1: 1 records")
                .hasMessageContaining("client client4: 1 records")
                .hasMessageEndingWith("; and 2 more clients");
    }

    @Test
    void thePartitionIsCountedByClientAndCategory() throws IOException {
        Path file = Files.writeString(
                folder.resolve("data.json"), records("a", "b", "c").toString());
        assertThat(divide(file).partition())
                .isEqualTo(Map.of("a", Map.of("a", 12), "b", Map.of("b", 12), "c", Map.of("c", 12)));

        ExperimentData skewed = divide(file, "data.partition={dirichlet: 0.5, clients: 4}");
        Map<String, Integer> byCategory = new TreeMap<>();
        skewed.partition().forEach((client, counts) -> {
            counts.forEach((category, count) -> byCategory.merge(category, count, Integer::sum));
            assertThat(counts.values().stream().mapToInt(Integer::intValue).sum())
                    .isEqualTo(Objects.requireNonNull(skewed.counts().clients().get(client))
                            .records());
        });
        assertThat(byCategory).isEqualTo(Map.of("a", 12, "b", 12, "c", 12));
        assertThat(shown).contains("client      1      2      3    all");
    }

    @Test
    void unseenClientsAreDrawnBySeedOrNamed() throws IOException {
        Path file = Files.writeString(
                folder.resolve("data.json"), records("a", "b", "c", "d", "e").toString());
        ExperimentData drawn = divide(file, "data.unseen-clients=2");
        assertThat(drawn.unseen()).hasSize(2);
        assertThat(Stream.concat(ids(drawn.unseen()).stream(), ids(drawn.clients()).stream()))
                .containsExactlyInAnyOrder("a", "b", "c", "d", "e");
        assertThat(drawn.counts().clients()).containsOnlyKeys("a", "b", "c", "d", "e");
        assertThat(shown).contains("not in training: " + String.join(", ", ids(drawn.unseen())) + "\n");
        assertThat(ids(divide(file, "data.unseen-clients=2").unseen())).isEqualTo(ids(drawn.unseen()));

        ExperimentData named = divide(file, "data.unseen-clients=[d, a]");
        assertThat(ids(named.unseen())).containsExactly("a", "d");
        assertThat(ids(named.clients())).containsExactly("b", "c", "e");
        assertSame(named.clients().get(0), divide(file).clients().get(1));
        for (String unseen : List.of("5", "[a, b, c, d, e]")) {
            assertThatThrownBy(() -> divide(file, "data.unseen-clients=" + unseen))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("data.unseen-clients: 5 of 5 clients, wanted at least one that trains");
        }
        assertThatThrownBy(() -> divide(file, "data.unseen-clients=[f]"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("data.unseen-clients: [f] not found, wanted some of [a, b, c, d, e]");
    }

    @Test
    void aSplitSaysWhichTasksTrainAndWhichAreUnseen() throws IOException {
        Path release = release();
        for (Path source : List.of(release, release.resolve("tasks"))) {
            ExperimentData data = divide(source, "data.split=default");
            assertThat(ids(data.clients())).containsExactly("task1_a", "task2_b");
            assertThat(ids(data.unseen())).containsExactly("task4-1_d");
            assertThat(data.counts().split()).isEqualTo(new DataCounts.Split(2, 1, 1, 1));
            assertThat(data.partition()).containsEntry("task4-1_d", new TreeMap<>(Map.of("task4.1_d", 12)));
            assertThat(shown)
                    .contains("split default: 2 tasks to train on and 1 to test on; 1 listed tasks are missing, 1 tasks"
                            + " are not listed and left out");
        }
        assertThat(ids(divide(release).clients())).containsExactly("task1_a", "task2_b", "task3_c", "task4-1_d");

        Path file = Files.writeString(folder.resolve("data.json"), records("a").toString());
        assertThatThrownBy(() -> divide(file, "data.split=default"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("data.split: default, but " + file + " holds no tasks of Natural Instructions, wanted its"
                        + " release or the folder tasks of it");
    }

    /** Tasks are read one by one; the same records in one file are read together. */
    @Test
    void tasksThatAreReadOneByOneAreDividedAlike() throws IOException {
        Path release = release();
        ArrayNode together = JSON.createArrayNode();
        for (InstructionRecord record : InstructionData.read(release)) {
            together.addObject()
                    .put("instruction", record.instruction())
                    .put("input", record.input())
                    .put("output", record.response())
                    .put("category", record.category());
        }
        Path file = Files.writeString(folder.resolve("together.json"), together.toString());
        ExperimentData byTask = divide(release, "data.train-per-client=5", "data.test-per-client=2");
        ExperimentData whole = divide(file, "data.train-per-client=5", "data.test-per-client=2");
        assertThat(byTask.counts()).isEqualTo(whole.counts());
        assertThat(byTask.partition()).isEqualTo(whole.partition());
        assertThat(byTask.clients()).hasSameSizeAs(whole.clients()).hasSize(4);
        for (int client = 0; client < 4; client++) {
            assertSame(byTask.clients().get(client), whole.clients().get(client));
        }
    }

    /** Files may be called tasks and be something else. */
    @Test
    void arraysThatAreCalledTasksAreDividedByTheirCategories() throws IOException {
        Files.writeString(folder.resolve("task1.json"), records("a", "b").toString());
        Files.writeString(folder.resolve("task2.json"), records("b", "c").toString());
        assertThat(divide(folder).partition())
                .isEqualTo(Map.of("a", Map.of("a", 12), "b", Map.of("b", 24), "c", Map.of("c", 12)));
    }

    private static void assertSame(ClientRecords one, ClientRecords other) {
        assertThat(one.id()).isEqualTo(other.id());
        assertThat(one.train().train())
                .usingElementComparator((left, right) -> Arrays.compare(left.ids(), right.ids()))
                .isEqualTo(other.train().train());
        assertThat(one.test())
                .extracting(TestExample::reference)
                .isEqualTo(other.test().stream().map(TestExample::reference).toList());
    }

    private static List<String> ids(List<ClientRecords> clients) {
        return clients.stream().map(ClientRecords::id).toList();
    }

    private ExperimentData divide(Path source, String... overrides) throws IOException {
        Path yaml = Files.writeString(
                folder.resolve("experiment.yaml"), """
                model: %s
                output: %s
                data: {train: %s, partition: {by: category}, template: short}
                """.formatted(model, folder.resolve("run"), source));
        Experiment experiment = ExperimentFile.load(yaml, List.of(overrides));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Progress progress =
                new Progress(new PrintStream(out, true, StandardCharsets.UTF_8), false, () -> Instant.EPOCH);
        try (Tokenizer tokenizer = Tokenizer.open(model)) {
            return new DataDivision(experiment, tokenizer, progress).divide();
        } finally {
            shown = out.toString(StandardCharsets.UTF_8);
        }
    }

    /** Four tasks of twelve instances; of the five that a split lists three are there. */
    private Path release() throws IOException {
        Path release = folder.resolve("release");
        Path tasks = Files.createDirectories(release.resolve("tasks"));
        Path split = Files.createDirectories(release.resolve("splits/default"));
        for (String task : List.of("task1_a", "task2_b", "task3_c", "task4.1_d")) {
            ObjectNode json = JSON.createObjectNode();
            json.putArray("Definition").add("Do " + task + ".");
            ArrayNode instances = json.putArray("Instances");
            for (int i = 0; i < 12; i++) {
                instances.addObject().put("input", "No " + i).putArray("output").add(task + " " + i);
            }
            Files.writeString(tasks.resolve(task + ".json"), json.toString());
        }
        Files.writeString(split.resolve("train_tasks.txt"), "task2_b\ntask9_missing\ntask1_a\n");
        Files.writeString(split.resolve("test_tasks.txt"), "task4.1_d\n");
        Files.writeString(split.resolve("excluded_tasks.txt"), "task3_c\n");
        return release;
    }

    /** Twelve records of each category. */
    private static ArrayNode records(String... categories) {
        ArrayNode records = JSON.createArrayNode();
        for (int i = 0; i < 12; i++) {
            for (String category : categories) {
                add(records, "Say no " + i, category + " " + i, category);
            }
        }
        return records;
    }

    private static void add(ArrayNode records, String instruction, String response, String category) {
        records.addObject()
                .put("instruction", instruction)
                .put("response", response)
                .put("category", category);
    }
}
