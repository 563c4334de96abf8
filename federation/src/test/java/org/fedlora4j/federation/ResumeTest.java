package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Sha256;
import org.fedlora4j.lora.LearningRateSchedule;
import org.fedlora4j.model.LanguageModel;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run that was stopped and went on is the run that was not, to the last bit. */
class ResumeTest {
    private static final int ROUNDS = 2;
    private static final int STAGES = 1 + ROUNDS * 3 + 2;

    @TempDir
    static Path temporary;

    @AutoClose
    private static LanguageModel model;

    /** Without a finish or a schedule. */
    private static Recipe endless;

    private static Recipe recipe;
    private static Log uninterrupted;

    @BeforeAll
    static void runToTheEnd() throws IOException {
        model = TinyFederation.open(temporary.resolve("model"));
        Recipe plain = Runs.recipe("fedlora-optimizer");
        List<Phase> round = plain.round().stream()
                .map(phase -> phase.share().isEmpty() ? phase : Runs.withMomentum(phase))
                .toList();
        endless = Runs.of(plain, 1, plain.warmUp(), round, Set.of("adapt", "magnitude"));
        recipe = Runs.withFinish(endless, finish(), Set.of("adapt", "magnitude", "personal"));
        uninterrupted = new Log(temporary.resolve("uninterrupted"));
        run(uninterrupted);
    }

    /** A phase that all share, then one that is private; one pulls, one has a schedule. */
    private static List<Phase> finish() throws IOException {
        Phase adapt = Runs.recipe("fedprox-lora").round().get(0);
        Phase magnitude = Runs.recipe("fedavg-then-magnitude").finish().get(0);
        return List.of(
                Runs.trained("settle", adapt, LearningRateSchedule.CONSTANT, adapt.proximal()),
                Runs.trained("personal", magnitude, LearningRateSchedule.COSINE, 0.1));
    }

    /**
     * The process ends within every phase, in the second client's second step when the first client has trained, and
     * again after it.
     */
    @Test
    void stoppedWithinAndAfterEveryPhase(@TempDir Path folder) throws IOException {
        Log log = new Log(folder);
        for (int stage = 0; stage < STAGES; stage++) {
            log.stopWithin = stage;
            assertThatThrownBy(() -> run(log)).isInstanceOf(Stop.class);
            log.stopWithin = -1;
            log.stopAfter = stage;
            assertThatThrownBy(() -> run(log)).isInstanceOf(Stop.class);
        }
        log.stopAfter = -1;
        run(log);

        assertSame(log);
    }

    @Test
    void aFinishedRunEvaluatesItsLastRoundAgainAndIsOver(@TempDir Path folder) throws IOException {
        run(new Log(folder));
        Log again = new Log(folder);
        run(again);

        assertThat(again.results).isEmpty();
        assertThat(again.rounds).containsOnlyKeys("finish");
        assertThat(again.rounds.get("finish")).isEqualTo(uninterrupted.rounds.get("finish"));
    }

    @Test
    void aDamagedStateFallsBackToTheOneBefore(@TempDir Path folder) throws IOException {
        Log log = new Log(folder);
        run(log);
        Path damaged = folder.resolve("000009").resolve("shared.safetensors");
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[bytes.length - 2] ^= 1;
        Files.write(damaged, bytes);
        log.results.remove(STAGES - 1);
        run(log);

        assertThat(log.warnings).singleElement().asString().contains("000009: damaged", "checksums");
        assertSame(log);
    }

    @Test
    void aStateOfAnotherRunIsRefused(@TempDir Path folder) throws IOException {
        run(new Log(folder));
        Federation.Settings mine = Runs.settings(recipe, ROUNDS);
        assertRefused(
                folder,
                new Federation.Settings(
                        mine.lora(), mine.recipe(), ROUNDS, mine.batchSize(), mine.batchWindow(), mine.padId(), 12),
                Runs.clients(2),
                "its seed is 11, wanted this run's: 12");
        assertRefused(folder, Runs.settings(Runs.recipe("fedavg-lora"), ROUNDS), Runs.clients(2), "its recipe is {");
        assertRefused(folder, mine, Runs.clients(3), "its clients is [client-1, client-2]");
        assertRefused(
                folder, Runs.settings(recipe, 3), Runs.clients(2), "its number of rounds is 2, wanted this run's: 3");
        List<ClientData> other = Runs.clients(2);
        other.set(1, new ClientData("client-2", other.get(0).train()));
        assertRefused(folder, mine, other, "its data of client client-2 is 4 examples");
    }

    /** Only one without a finish and schedules: what they did would have been too early. */
    @Test
    void aRunCanBeMadeLongerButNotShorter(@TempDir Path folder) throws IOException {
        run(Runs.settings(endless, 1), new StateFolder(folder));
        TinyFederation.Models longer = run(Runs.settings(endless, 2), new StateFolder(folder));

        assertThat(longer).isEqualTo(run(Runs.settings(endless, 2), new StateFolder(folder.resolve("at-once"))));
        assertRefused(folder, Runs.settings(endless, 1), Runs.clients(2), "7 phases done, wanted 1 to 4 for 1 rounds");
    }

    @Test
    void aRunWithAScheduleKeepsItsNumberOfRounds(@TempDir Path folder) throws IOException {
        Phase adapt = endless.round().get(0);
        Recipe scheduled = Runs.of(
                endless, 1, endless.warmUp(), List.of(Runs.trained(adapt, LearningRateSchedule.LINEAR, 0)), Set.of());
        run(Runs.settings(scheduled, 1), new StateFolder(folder));
        assertRefused(
                folder,
                Runs.settings(scheduled, 2),
                Runs.clients(2),
                "its number of rounds is 1, wanted this run's: 2");
    }

    private static TinyFederation.Models run(Federation.Settings settings, StateFolder states) throws IOException {
        try (Federation federation = new Federation(model, settings, Runs.clients(2))) {
            federation.run(RunListener.NONE, states);
            return TinyFederation.Models.of(federation);
        }
    }

    private static void assertRefused(
            Path folder, Federation.Settings settings, List<ClientData> clients, String message) {
        assertThatThrownBy(() -> {
                    try (Federation federation = new Federation(model, settings, clients)) {
                        federation.run(RunListener.NONE, new StateFolder(folder));
                    }
                })
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("the saved state")
                .hasMessageContaining(message);
    }

    /** Compares all that two runs told and left. */
    private static void assertSame(Log log) {
        assertThat(log.models).isEqualTo(uninterrupted.models);
        assertThat(log.results).isEqualTo(uninterrupted.results);
        assertThat(log.rounds).isEqualTo(uninterrupted.rounds);
        assertThat(log.states).isEqualTo(uninterrupted.states);
    }

    private static void run(Log log) throws IOException {
        try (Federation federation = new Federation(model, Runs.settings(recipe, ROUNDS), Runs.clients(2))) {
            federation.run(log, new StateFolder(log.folder));
            log.models = TinyFederation.Models.of(federation);
        }
    }

    /** The checksums of the latest state's files, by name. */
    private static Map<String, String> latest(Path folder) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> states = Files.list(folder)) {
            Path latest = states.max(Comparator.naturalOrder()).orElseThrow();
            try (Stream<Path> paths = Files.list(latest)) {
                for (Path path : paths.toList()) {
                    files.put(path.getFileName().toString(), Sha256.of(path));
                }
            }
        }
        return files;
    }

    /** Stands for the end of the process. */
    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** Notes all that a run tells and saves. */
    private static final class Log implements RunListener {
        final Map<Integer, PhaseResult> results = new TreeMap<>();
        final Map<String, List<PhaseResult>> rounds = new TreeMap<>();
        final Map<Integer, Map<String, String>> states = new TreeMap<>();
        final List<String> warnings = new ArrayList<>();

        TinyFederation.@Nullable Models models;

        private final Path folder;
        private int stopWithin = -1;
        private int stopAfter = -1;

        Log(Path folder) {
            this.folder = folder;
        }

        @Override
        public void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
            if (context.stage() == stopWithin && clientId.equals("client-2") && step == 2) {
                throw new Stop();
            }
        }

        @Override
        public void phaseEnded(RoundContext context, PhaseResult result) throws IOException {
            results.put(context.stage(), result);
            states.put(context.stage(), latest(folder));
            if (context.stage() == stopAfter) {
                throw new Stop();
            }
        }

        @Override
        public void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) {
            rounds.put(context.label(), phases);
        }

        @Override
        public void warning(String line) {
            warnings.add(line);
        }
    }
}
