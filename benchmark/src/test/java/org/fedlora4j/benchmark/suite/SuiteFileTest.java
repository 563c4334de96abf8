package org.fedlora4j.benchmark.suite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.fedlora4j.benchmark.Experiment;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SuiteFileTest {
    private static final String SUITE = """
            name: two by two
            output: out
            models: {small: models/small, demo: embedded}
            datasets:
              words: {train: words.jsonl, partition: {by: category}, max-tokens: 64}
              demo: {train: embedded, partition: {iid: 3}}
            methods:
              - fedlora-optimizer
              - {name: averaging, recipe: fedavg-lora, set: {lora.rank: 2, batch-size: 4}}
              - {name: local, rival: false}
            seeds: [7, 8]
            experiment: {rounds: 3, lora: {rank: 4, alpha: 8}}
            """;

    @TempDir
    private Path folder;

    @Test
    void aSeedIsCompleteBeforeTheNext() throws IOException {
        List<String> names = load(SUITE).jobs().stream().map(Job::name).toList();
        assertThat(names).hasSize(2 * 2 * 2 * 3);
        assertThat(names.subList(0, 4))
                .containsExactly(
                        "small/words/fedlora-optimizer/seed-7",
                        "small/words/averaging/seed-7",
                        "small/words/local/seed-7",
                        "small/demo/fedlora-optimizer/seed-7");
        assertThat(names.subList(0, 12)).allMatch(name -> name.endsWith("seed-7"));
        assertThat(names.subList(12, 24)).allMatch(name -> name.endsWith("seed-8"));
    }

    @Test
    void aJobIsAnExperiment() throws IOException {
        Job job = load(SUITE).jobs().get(1);
        Experiment experiment = job.experiment();
        assertThat(job.exportedFile()).isEqualTo("small-words-averaging-seed7.json");
        assertThat(experiment.output()).isEqualTo(Path.of("out/jobs/small/words/averaging/seed-7"));
        assertThat(experiment.model()).isEqualTo(Path.of("models/small"));
        assertThat(experiment.data().source()).isEqualTo(Path.of("words.jsonl"));
        assertThat(experiment.data().maxTokens()).isEqualTo(64);
        assertThat(experiment.recipe().name()).isEqualTo("fedavg-lora");
        assertThat(experiment.rounds()).isEqualTo(3);
        assertThat(experiment.seed()).isEqualTo(7);
        // Of the method in place of the common ones; what it doesn't name stays.
        assertThat(experiment.lora().rank()).isEqualTo(2);
        assertThat(experiment.lora().alpha()).isEqualTo(8);
        assertThat(experiment.batchSize()).isEqualTo(4);
        assertThat(load(SUITE).jobs().get(0).experiment().lora().rank()).isEqualTo(4);
    }

    @Test
    void oursIsTheFirstAndRivalsAreTheRest() throws IOException {
        Suite suite = load(SUITE);
        assertThat(suite.ours()).isEqualTo("fedlora-optimizer");
        assertThat(suite.rivals()).containsExactly("averaging");
        assertThat(load(SUITE + "ours: averaging\n").rivals()).containsExactly("fedlora-optimizer");
    }

    @Test
    void theDemosModelAndDataLieInTheOutputFolder() throws IOException {
        Experiment experiment = load(SUITE).jobs().get(9).experiment();
        assertThat(experiment.model()).isEqualTo(Path.of("out/embedded/model"));
        assertThat(experiment.data().source()).isEqualTo(Path.of("out/embedded/clients.jsonl"));
        assertThat(load(SUITE).embedded()).isTrue();
        assertThat(load(SUITE, "models={small: x}", "datasets={words: {train: w, partition: {iid: 2}}}")
                        .embedded())
                .isFalse();
    }

    @Test
    void overridesHold() throws IOException {
        Suite suite = load(SUITE, "seeds=[1]", "experiment.rounds=9", "datasets.words.max-tokens=99", "output=there");
        assertThat(suite.seeds()).containsExactly(1);
        assertThat(suite.output()).isEqualTo(Path.of("there"));
        assertThat(suite.jobs().get(0).experiment().rounds()).isEqualTo(9);
        assertThat(suite.jobs().get(0).experiment().data().maxTokens()).isEqualTo(99);
    }

    @Test
    void theSuitesThatComeWithItAreSound() throws IOException {
        Path suites = Path.of(System.getProperty("fedlora.root"), "benchmark/suites");
        assertThat(SuiteFile.load(suites.resolve("smoke.yaml"), List.of()).jobs())
                .hasSize(6);
    }

    @Test
    void namesWhatIsWrong() {
        assertRefused("[1]", "found ARRAY, wanted a suite in YAML");
        assertRefused(
                "seeds: [1]",
                "name: missing",
                "output: missing",
                "models: missing, wanted an object",
                "datasets: missing",
                "methods: missing, wanted a list");
        assertRefused(SUITE + "sedes: [1]", "sedes: unknown");
        assertRefused(SUITE + "ours: theirs", "ours: theirs, wanted one of [fedlora-optimizer, averaging, local]");
        assertRefused(SUITE.replace("seeds: [7, 8]", "seeds: [7, 7]"), "seeds: [7, 7], wanted at least one, and none");
        assertRefused(SUITE.replace("seeds: [7, 8]", "seeds: [a]"), "seeds: \"a\", wanted whole numbers");
        assertRefused(
                SUITE.replace("name: local", "name: averaging, recipe: local"),
                "methods: [fedlora-optimizer, averaging, aver");
        assertRefused(SUITE.replace("small:", "../small:"), "models: \"../small\", wanted a name of letters");
        assertRefused(SUITE.replace("rounds: 3", "seed: 3"), "experiment.seed: not common to all jobs");
        assertRefused(SUITE.replace("lora.rank: 2", "data.max-tokens: 2"), "methods[1].set.data.max-tokens: 2, wanted");
        assertRefused(SUITE.replace("rival: false", "rvial: false"), "methods[2].rvial: unknown");
        assertRefused(SUITE.replace("models/small", "{a: b}"), "models.small: {\"a\":\"b\"}, wanted a folder");
    }

    /** With the first job that has it, not with every one. */
    @Test
    void namesTheJobWhoseSettingsAreWrong() {
        assertRefused(
                SUITE.replace("lora.rank: 2", "lora.rnk: 2"),
                "suite.yaml: job small/words/averaging/seed-7: lora.rnk: unknown");
        assertRefused(
                SUITE.replace("recipe: fedavg-lora", "recipe: fedavg-lara"),
                "suite.yaml: job small/words/averaging/seed-7: recipe: 'fedavg-lara' is neither a file nor one of");
        assertRefused(
                SUITE.replace("rounds: 3", "rounds: 0"),
                "suite.yaml: job small/words/fedlora-optimizer/seed-7: rounds: 0, wanted at least 1");
    }

    @Test
    void refusesNamesThatWouldBeExportedAlike() {
        assertRefused(
                SUITE.replace("demo: embedded", "small-words: m").replace("demo: {train", "words-words: {train"),
                "small/words-words/fedlora-optimizer/seed-7 and small-words/words/fedlora-optimizer/seed-7 would both be"
                        + " exported as small-words-words-fedlora-optimizer-seed7.json");
    }

    private void assertRefused(String yaml, String... messages) {
        assertThatThrownBy(() -> load(yaml))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(folder.resolve("suite.yaml").toString())
                .hasMessageContainingAll(messages);
    }

    private Suite load(String yaml, String... overrides) throws IOException {
        return SuiteFile.load(Files.writeString(folder.resolve("suite.yaml"), yaml), List.of(overrides));
    }
}
