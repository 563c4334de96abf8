package org.fedlora4j.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.benchmark.Experiment.EachRound;
import org.fedlora4j.benchmark.data.FieldNames;
import org.fedlora4j.benchmark.data.FieldNames.Part;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.data.CategoryPartitioner;
import org.fedlora4j.federation.data.DirichletPartitioner;
import org.fedlora4j.federation.data.IidPartitioner;
import org.fedlora4j.federation.data.UnseenClients;
import org.fedlora4j.model.Recompute;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExperimentFileTest {
    private static final String SHORTEST = """
            model: models/a
            output: runs/a
            data: {train: a.jsonl, partition: {by: category}}
            """;

    @TempDir
    private Path folder;

    @Test
    void readsEverySetting() throws IOException {
        Experiment experiment = load("""
                model: models/a
                output: runs/a
                precision: f32
                recompute: layer
                data:
                  train: tasks
                  fields: {instruction: question, output: answer}
                  skip-bad-records: true
                  partition: {dirichlet: 0.5, clients: 4}
                  split: none
                  unseen-clients: 1
                  template: short
                  max-tokens: 100
                  train-per-client: 10
                  test-per-client: 5
                lora: {rank: 4, alpha: 2.5, targets: [down_proj, q_proj], dropout: 0.1, rs-lora: true, client-ranks: {b: 1, a: 4}}
                recipe: fedavg-lora
                rounds: 3
                participation: 0.25
                batch-size: 7
                batch-window: 3
                seed: -5
                evaluate: {rouge: false, max-new-tokens: 9, batch-size: 8, each-round: all}
                """);
        assertThat(experiment.model()).isEqualTo(Path.of("models/a"));
        assertThat(experiment.output()).isEqualTo(Path.of("runs/a"));
        assertThat(experiment.precision()).isEqualTo("f32");
        assertThat(experiment.recompute()).isEqualTo(Recompute.LAYER);
        assertThat(experiment.data())
                .isEqualTo(new Experiment.Data(
                        Path.of("tasks"),
                        new FieldNames(Map.of(Part.INSTRUCTION, "question", Part.OUTPUT, "answer")),
                        true,
                        new DirichletPartitioner(0.5, 4),
                        "none",
                        new UnseenClients(1, Set.of()),
                        "short",
                        100,
                        10,
                        5));
        assertThat(experiment.lora().targets()).containsExactly("q_proj", "down_proj");
        assertThat(experiment.lora().scale("model.layers.0.self_attn.q_proj")).isEqualTo(1.25);
        assertThat(experiment.lora().dropout()).isEqualTo(0.1);
        assertThat(experiment.clientRanks()).isEqualTo(Map.of("a", 4, "b", 1));
        assertThat(experiment.recipe()).isEqualTo(RecipeFile.load("fedavg-lora"));
        assertThat(experiment.rounds()).isEqualTo(3);
        assertThat(experiment.participation()).isEqualTo(0.25);
        assertThat(experiment.batchSize()).isEqualTo(7);
        assertThat(experiment.batchWindow()).isEqualTo(3);
        assertThat(experiment.seed()).isEqualTo(-5);
        assertThat(experiment.evaluation()).isEqualTo(new Experiment.Evaluation(false, 9, 8, EachRound.ALL));
    }

    @Test
    void theTableOfDefaultsIsThatOfTheCode() throws IOException {
        Map<String, String> documented = new TreeMap<>();
        Matcher row = Pattern.compile("(?m)^\\| `([a-z.-]+)` \\| (?:`(.+?)`|(required)) \\| .+ \\|$")
                .matcher(Files.readString(Path.of("../docs/experiments.md")));
        while (row.find()) {
            documented.put(row.group(1), row.group(2) == null ? row.group(3) : row.group(2));
        }

        ObjectNode tree = ExperimentFile.toTree(load(SHORTEST));
        assertThat(RecipeFile.toTree(RecipeFile.load("fedlora-optimizer"))).isEqualTo(tree.get("recipe"));
        Map<String, String> coded = new TreeMap<>();
        flatten("", tree.put("recipe", "fedlora-optimizer"), coded);
        for (String required : List.of("model", "output", "data.train", "data.partition")) {
            coded.put(required, "required");
        }
        assertThat(documented).isEqualTo(coded);
    }

    @Test
    void whatIsWrittenReadsBackTheSame() throws IOException {
        for (String partition : List.of("{by: category}", "{dirichlet: 0.25, clients: 3}", "{iid: 2}")) {
            Experiment experiment = load(
                    SHORTEST,
                    "data.partition=" + partition,
                    "recipe=fedlora-joint",
                    "data.fields.input=about",
                    "lora.client-ranks.a=3");
            assertThat(load(ExperimentFile.toYaml(experiment))).isEqualTo(experiment);
        }
        assertThat(load(SHORTEST).data().partitioner()).isEqualTo(new CategoryPartitioner());
        for (String unseen : List.of("2", "[b, a]", "[0, 7]", "[]")) {
            Experiment experiment = load(SHORTEST, "data.unseen-clients=" + unseen);
            assertThat(load(ExperimentFile.toYaml(experiment))).isEqualTo(experiment);
        }
        Experiment split = load(SHORTEST, "data.split=default");
        assertThat(load(ExperimentFile.toYaml(split))).isEqualTo(split);
    }

    @Test
    void unseenClientsAreANumberOrNames() throws IOException {
        assertThat(load(SHORTEST).data().unseenClients()).isEqualTo(UnseenClients.NONE);
        assertThat(load(SHORTEST, "data.unseen-clients=3").data().unseenClients())
                .isEqualTo(new UnseenClients(3, Set.of()));
        assertThat(load(SHORTEST, "data.unseen-clients=[b, 0]").data().unseenClients())
                .isEqualTo(new UnseenClients(0, Set.of("b", "0")));
    }

    @Test
    void aSplitIsOfTasksAndNamesTheUnseenClients() {
        assertThatThrownBy(() -> load(SHORTEST, "data.split=default", "data.partition={iid: 3}"))
                .isInstanceOf(BadInputException.class)
                .hasMessageEndingWith(
                        "data.split: default, which is of tasks, wanted data.partition {by: category}" + " beside it");
        assertThatThrownBy(() -> load(SHORTEST, "data.split=default", "data.unseen-clients=1"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("data.unseen-clients: given beside data.split default");
    }

    @Test
    void overridesHoldInsteadOfTheFile() throws IOException {
        Experiment experiment =
                load(SHORTEST, "rounds=2", "lora.rank=3", "data.partition={iid: 5}", "lora.targets=[k_proj]");
        assertThat(experiment.rounds()).isEqualTo(2);
        assertThat(experiment.lora().rank()).isEqualTo(3);
        assertThat(experiment.lora().targets()).containsExactly("k_proj");
        assertThat(experiment.data().partitioner()).isEqualTo(new IidPartitioner(5));
    }

    @ParameterizedTest
    @ValueSource(strings = {"rounds", "rounds=", "=3", "lora..rank=1", "rounds=[1"})
    void refusesBrokenOverrides(String override) {
        assertThatThrownBy(() -> load(SHORTEST, override))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("--set " + override);
    }

    @Test
    void takesARecipeFile() throws IOException {
        Path recipe = folder.resolve("mine.yaml");
        Files.writeString(
                recipe,
                RecipeFile.toTree(RecipeFile.load("local")).put("name", "mine").toString());
        assertThat(load(SHORTEST, "recipe=" + recipe).recipe().name()).isEqualTo("mine");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            learning-rate=1             | learning-rate: unknown
            data.max_tokens=5           | data.max_tokens: unknown
            lora.r=5                    | lora.r: unknown
            evaluate.bleu=true          | evaluate.bleu: unknown
            data.fields.question=q      | data.fields.question: unknown, wanted some of [instruction, input, output, category, id]
            data.fields.input=7         | data.fields.input: 7, wanted a text
            data.fields={id: ""}        | data.fields.id: '', wanted a field's name
            data.skip-bad-records=1     | data.skip-bad-records: 1, wanted true or false
            data.partition.clients=3    | data.partition.clients: unknown
            data.partition={by: task}   | data.partition.by: task, wanted category, or dirichlet or iid instead
            data.partition={dirichlet: 0, clients: 3} | data.partition.dirichlet is 0.0
            data.partition={dirichlet: 1} | data.partition.clients: missing
            data.unseen-clients=-1      | data.unseen-clients: -1, wanted at least 0
            data.unseen-clients=some    | data.unseen-clients: "some", wanted a whole number
            data.split=7                | data.split: 7, wanted a text
            data.split=" "              | data.split: empty, wanted none, a split's name or a path
            data.partition={}           | data.partition.by: missing
            data.partition=category     | data.partition: "category", wanted an object
            rounds=0                    | rounds: 0, wanted at least 1
            rounds=1.5                  | rounds: 1.5, wanted a whole number
            participation=0             | participation: 0.0, wanted above 0 and at most 1
            participation=1.5           | participation: 1.5, wanted above 0 and at most 1
            batch-window=0              | batch-window: 0, wanted at least 1
            batch-size=0                | batch-size: 0, wanted at least 1
            seed=many                   | seed: "many", wanted a whole number
            output=[a]                  | output: ["a"], wanted a path
            precision=f64               | precision: "f64", wanted one of [auto, f32, bf16, f16]
            recompute=all               | recompute: "all", wanted one of [none, attention, layer]
            recipe=no-such-recipe       | recipe: 'no-such-recipe' is neither a file nor one of
            data.max-tokens=1           | data.max-tokens: 1, wanted at least 2
            data.test-per-client=0      | data.test-per-client: 0, wanted at least 1
            lora.rank=0                 | : lora.rank: 0, wanted at least 1
            lora.alpha=-1               | : lora.alpha: -1.0, wanted a number above 0
            lora.targets=[lm_head]      | : lora.targets: 'lm_head' names no linear projection
            lora.dropout=1              | : lora.dropout: 1.0, wanted at least 0 and below 1
            lora.rs-lora=1              | lora.rs-lora: 1, wanted true or false
            lora.client-ranks.a=0       | lora.client-ranks.a: 0, wanted from 1 to lora.rank, 8
            lora.client-ranks={b: 9}    | lora.client-ranks.b: 9, wanted from 1 to lora.rank, 8
            lora.client-ranks={b: few}  | lora.client-ranks.b: "few", wanted a whole number
            lora.client-ranks=[4]       | lora.client-ranks: [4], wanted an object
            lora=8                      | lora: 8, wanted an object
            evaluate.rouge=rougeL       | evaluate.rouge: "rougeL", wanted true or false
            evaluate.max-new-tokens=0   | evaluate.max-new-tokens: 0, wanted at least 1
            evaluate.each-round=never   | evaluate.each-round: "never", wanted one of [nothing, loss, all]
            data.template=long          | data.template: long, wanted one of [alpaca, short]
            """)
    void namesWhatIsWrong(String override, String problem) {
        assertThatThrownBy(() -> load(SHORTEST, override))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(problem)
                .hasMessageNotContaining("\n");
    }

    @Test
    void namesTheFileAndAllProblemsAtOnce() {
        assertThatThrownBy(() -> load("modell: a\nrounds: none\n"))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(folder.resolve("experiment.yaml") + ": ")
                .hasMessageContaining("modell: unknown")
                .hasMessageContaining("model: missing")
                .hasMessageContaining("output: missing")
                .hasMessageContaining("data: missing")
                .hasMessageContaining("rounds: \"none\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "- a", "{", "rounds: 1\nrounds: 2"})
    void refusesWhatIsNoExperiment(String text) {
        assertThatThrownBy(() -> load(text))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("experiment.yaml: ");
    }

    @Test
    void refusesAMissingFile() {
        assertThatThrownBy(() -> ExperimentFile.load(folder.resolve("none.yaml"), List.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("none.yaml: no such file");
    }

    @Test
    void readsTheExamples() throws IOException {
        try (var files = Files.list(Path.of("../examples"))) {
            List<Path> examples =
                    files.filter(file -> file.toString().endsWith(".yaml")).toList();
            assertThat(examples).isNotEmpty();
            for (Path example : examples) {
                assertThat(Files.readString(example)).contains("./fedlora train examples/" + example.getFileName());
                ExperimentFile.load(example, List.of());
            }
        }
    }

    private Experiment load(String yaml, String... overrides) throws IOException {
        Path file = folder.resolve("experiment.yaml");
        Files.writeString(file, yaml);
        return ExperimentFile.load(file, List.of(overrides));
    }

    /** Leaves as texts, by dotted path; a partition is one leaf, and so are fields and ranks. */
    private static void flatten(String path, JsonNode node, Map<String, String> leaves) {
        if (!node.isObject()
                || List.of("data.partition", "data.fields", "lora.client-ranks").contains(path)) {
            leaves.put(
                    path,
                    node.isContainerNode() ? node.toString().replace("\"", "").replace(",", ", ") : node.asText());
            return;
        }
        node.properties()
                .forEach(field -> flatten(
                        path.isEmpty() ? field.getKey() : path + "." + field.getKey(), field.getValue(), leaves));
    }
}
