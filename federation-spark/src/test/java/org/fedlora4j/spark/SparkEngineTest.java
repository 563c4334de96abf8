package org.fedlora4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedSet;
import org.apache.spark.api.java.JavaSparkContext;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.StateFolder;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine on Spark in this process, two tasks at a time. */
@SuppressWarnings("NullAway.Init")
class SparkEngineTest {
    private static final Toy.Source SOURCE = new Toy.Source(6);
    private static JavaSparkContext spark;

    @TempDir
    private Path folder;

    private Path model;
    private Federation.Settings settings;

    @BeforeAll
    static void start() {
        spark = new JavaSparkContext(TestConf.of("local[2]"));
    }

    @AfterAll
    static void stop() {
        spark.close();
    }

    @BeforeEach
    void writeModel() throws IOException {
        model = Toy.model(folder.resolve("model"));
        settings = Toy.settings(folder);
    }

    @Test
    void aRunIsTheInProcessRunToTheLastBit() throws IOException {
        Toy.Log expected = new Toy.Log();
        Toy.Models inProcess = Toy.inProcess(model, settings, SOURCE, expected);
        Toy.Log found = new Toy.Log();
        try (Federation federation = federation(SOURCE)) {
            federation.run(found);
            assertThat(Toy.Models.of(federation)).isEqualTo(inProcess);
        }
        // 5 phases of 3 clients with 2 steps each.
        assertThat(found.lines).hasSize(5 * (3 * 2 + 1)).isEqualTo(expected.lines);
        assertThat(inProcess.personal().values()).anyMatch(own -> !own.equals(inProcess.global()));
    }

    @Test
    void aDriverThatFailedGoesOnWhereItStopped() throws IOException {
        Toy.Models undisturbed = Toy.inProcess(model, settings, SOURCE, RunListener.NONE);
        StateFolder states = new StateFolder(folder.resolve("state"));
        try (Federation federation = federation(SOURCE)) {
            assertThatThrownBy(() -> federation.run(
                            new RunListener() {
                                @Override
                                public void phaseStarted(RoundContext context) throws IOException {
                                    if (context.stage() == 3) {
                                        throw new IOException("no power");
                                    }
                                }
                            },
                            states))
                    .hasMessage("no power");
        }
        int[] phases = {0};
        try (Federation federation = federation(SOURCE)) {
            federation.run(
                    new RunListener() {
                        @Override
                        public void phaseEnded(RoundContext context, PhaseResult result) {
                            phases[0]++;
                        }
                    },
                    states);
            assertThat(Toy.Models.of(federation)).isEqualTo(undisturbed);
        }
        assertThat(phases[0]).isEqualTo(2);
    }

    /** A source that knows of a client whose examples are gone. */
    private record Gone() implements ClientSource {
        @Override
        public SortedSet<String> clientIds() {
            return SOURCE.clientIds();
        }

        @Override
        public ClientData client(String id) {
            throw new BadInputException("/data/" + id + ": no such file");
        }
    }

    @Test
    void whatTheUserCanMendOnAnExecutorIsOneLine() throws IOException {
        try (Federation federation = federation(new Gone())) {
            assertThatThrownBy(() -> federation.run(RunListener.NONE))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageMatching("/data/client/[0-5]: no such file");
        }
    }

    @Test
    void aSavedRunOfOtherClientsIsRefused() throws IOException {
        StateFolder states = new StateFolder(folder.resolve("state"));
        try (Federation federation = federation(SOURCE)) {
            federation.run(RunListener.NONE, states);
        }
        try (Federation federation = federation(new Toy.Source(7))) {
            assertThatThrownBy(() -> federation.run(RunListener.NONE, states))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("clients");
        }
    }

    @Test
    void whatCantBeRunIsRefused() throws IOException {
        assertThatThrownBy(() -> federation(new Toy.Source(0))).hasMessage("no clients, wanted at least one");
        settings = new Federation.Settings(settings.lora(), RecipeFile.load("centralized"), 1, 2, 2, 0, 1, 1);
        assertThatThrownBy(() -> federation(SOURCE))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "recipe: centralized is pooled, wanted one whose clients keep their examples to themselves");
    }

    @Test
    void idsThatAreNoFileNamesGetOne() {
        Assignment assignment =
                new Assignment(ModelUse.of(model, LanguageModel.Settings.DEFAULT, settings), SOURCE, "/shared");
        assertThat(assignment.states("task/1 ä")).isEqualTo(Path.of("/shared/task%2F1+%C3%A4"));
        assertThat(assignment.states("..")).isEqualTo(Path.of("/shared/%2E%2E"));
    }

    private Federation federation(ClientSource source) throws IOException {
        return new Federation(
                Toy.CONFIG,
                settings,
                new SparkEngine(
                        spark,
                        model,
                        LanguageModel.Settings.DEFAULT,
                        settings,
                        source,
                        Files.createDirectories(folder.resolve("clients"))));
    }
}
