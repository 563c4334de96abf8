package org.fedlora4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.api.java.JavaSparkContext;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.StateFolder;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine on Spark in this process, two tasks at a time. */
@SuppressWarnings("NullAway.Init")
class SparkEngineTest {
    private static final TinyClients SOURCE = new TinyClients(6);
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
        model = TinyFederation.write(folder.resolve("model"));
        settings = TinyFederation.settings(0.5);
    }

    @Test
    void aRunIsTheInProcessRunToTheLastBit() throws IOException {
        Log expected = new Log();
        TinyFederation.Models inProcess = inProcess(expected);
        Log found = new Log();
        try (Federation federation = federation(SOURCE)) {
            federation.run(found);
            assertThat(TinyFederation.Models.of(federation)).isEqualTo(inProcess);
        }
        // 1 + 2 * 3 phases of 3 clients with 2 steps and an update each.
        assertThat(found.lines).hasSize(7 * (3 * (2 + 1) + 1)).isEqualTo(expected.lines);
        assertThat(inProcess.personal().values()).anyMatch(own -> !own.equals(inProcess.global()));
    }

    @Test
    void aDriverThatFailedGoesOnWhereItStopped() throws IOException {
        TinyFederation.Models undisturbed = inProcess(RunListener.NONE);
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
            assertThat(TinyFederation.Models.of(federation)).isEqualTo(undisturbed);
        }
        assertThat(phases[0]).isEqualTo(7 - 3);
    }

    /** Counts how often examples are asked for, in this process. */
    private record Counting() implements ClientSource {
        private static final AtomicInteger ASKED = new AtomicInteger();

        @Override
        public SortedSet<String> clientIds() {
            return SOURCE.clientIds();
        }

        @Override
        public ClientData client(String id) {
            ASKED.incrementAndGet();
            return SOURCE.client(id);
        }
    }

    /** What the executors keep is lost as soon as the driver has taken the first update of a phase. */
    @Test
    void updatesAreTakenOneByOneAndMadeAgainWhereTheyAreLost() throws IOException {
        Log expected = new Log();
        TinyFederation.Models inProcess = inProcess(expected);
        Log found = new Log() {
            @Override
            public void updateSent(RoundContext context, SharedUpdate update) {
                super.updateSent(context, update);
                spark.getPersistentRDDs().values().forEach(answers -> answers.unpersist(true));
            }
        };
        try (Federation federation = federation(new Counting(), 1)) {
            federation.run(found);
            // Each of 3 clients trained in each of 7 phases, and 2 were asked again; none trained again.
            assertThat(Counting.ASKED.get()).isEqualTo(7 * (3 + 2));
            assertThat(TinyFederation.Models.of(federation)).isEqualTo(inProcess);
        }
        assertThat(found.lines).isEqualTo(expected.lines);
        assertThat(spark.getPersistentRDDs()).isEmpty();
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
        try (Federation federation = federation(new TinyClients(7))) {
            assertThatThrownBy(() -> federation.run(RunListener.NONE, states))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("clients");
        }
    }

    @Test
    void whatCantBeRunIsRefused() throws IOException {
        assertThatThrownBy(() -> federation(new TinyClients(0))).hasMessage("no clients, wanted at least one");
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
        return federation(source, Long.MAX_VALUE);
    }

    private Federation federation(ClientSource source, long bytesAtOnce) throws IOException {
        return new Federation(
                TinyFederation.MODEL,
                settings,
                new SparkEngine(
                        spark,
                        model,
                        LanguageModel.Settings.DEFAULT,
                        settings,
                        source,
                        Files.createDirectories(folder.resolve("clients")),
                        bytesAtOnce));
    }

    /** The same run in this process. */
    private TinyFederation.Models inProcess(RunListener listener) throws IOException {
        try (LanguageModel opened = LanguageModel.open(model)) {
            return TinyFederation.run(opened, settings, SOURCE.all(), listener);
        }
    }

    /** Notes all that a run tells of, as text. */
    private static class Log implements RunListener {
        private final List<String> lines = new ArrayList<>();

        @Override
        public void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
            lines.add(context.stage() + " " + clientId + " step " + step + " loss " + loss + " tokens " + tokens);
        }

        @Override
        public void updateSent(RoundContext context, SharedUpdate update) {
            lines.add(context.stage() + " " + update.clientId() + " "
                    + update.values().hashCode());
        }

        @Override
        public void phaseEnded(RoundContext context, PhaseResult result) {
            lines.add(context.stage() + " " + result);
        }
    }
}
