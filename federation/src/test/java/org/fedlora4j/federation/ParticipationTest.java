package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LearningRateSchedule;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rounds that have some of the clients. */
class ParticipationTest {
    private static final int CLIENTS = 5;
    private static final double SHARE = 0.4;

    @TempDir
    static Path temporary;

    @AutoClose
    private static LanguageModel model;

    private static Recipe recipe;

    @BeforeAll
    static void open() throws IOException {
        model = TinyFederation.open(temporary.resolve("model"));
        Recipe plain = Runs.recipe("fedlora-optimizer");
        Phase magnitude = Runs.recipe("fedavg-then-magnitude").finish().get(0);
        Phase personal = Runs.trained("personal", magnitude, LearningRateSchedule.CONSTANT, 0);
        recipe = Runs.withFinish(plain, List.of(personal), plain.privateFactorIn());
    }

    /** Two of five, the same in all phases of a round, drawn anew for the next, in warm-up and finish too. */
    @Test
    void aRoundHasItsShareOfTheClients() throws IOException {
        List<Set<String>> rounds = new ArrayList<>();
        RunListener listener = new RunListener() {
            @Override
            public void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) {
                Set<Set<String>> sets = new HashSet<>();
                phases.forEach(phase -> sets.add(phase.clients().keySet()));
                assertThat(sets).as(context.label()).hasSize(1);
                rounds.addAll(sets);
            }
        };
        run(listener, new StateFolder(temporary.resolve("all")), 8);

        assertThat(rounds).hasSize(1 + 8 + 1).allMatch(clients -> clients.size() == 2);
        Set<String> seen = new TreeSet<>();
        rounds.forEach(seen::addAll);
        assertThat(seen).hasSize(CLIENTS);
        assertThat(new HashSet<>(rounds)).hasSizeGreaterThan(3);
    }

    /** The kept state of those that don't take part stays as it is. */
    @Test
    void whoIsNotDrawnStaysAsItWas() throws IOException {
        List<String> unchanged = new ArrayList<>();
        try (InProcessEngine engine = new InProcessEngine(model, settings(2), Runs.clients(CLIENTS))) {
            SortedMap<String, PartValues> before = new TreeMap<>();
            RunListener listener = new RunListener() {
                @Override
                public void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) {
                    SortedMap<String, PartValues> now = engine.privateParts();
                    before.forEach((id, own) -> {
                        boolean drawn = phases.get(0).clients().containsKey(id);
                        assertThat(own.equals(now.get(id))).as(id).isNotEqualTo(drawn);
                        if (!drawn) {
                            unchanged.add(id);
                        }
                    });
                    before.putAll(now);
                }
            };
            new Federation(model.config(), settings(2), engine).run(listener);
        }
        assertThat(unchanged).isNotEmpty();
    }

    @Test
    void aResumedRunDrawsTheSame() throws IOException {
        TinyFederation.Models atOnce = run(RunListener.NONE, new StateFolder(temporary.resolve("at-once")), 2);
        StateFolder states = new StateFolder(temporary.resolve("stopped"));
        RunListener stop = new RunListener() {
            @Override
            public void phaseEnded(RoundContext context, PhaseResult result) {
                if (context.stage() == 2) {
                    throw new IllegalStateException("stopped");
                }
            }
        };
        assertThatThrownBy(() -> run(stop, states, 2)).hasMessage("stopped");
        assertThat(run(RunListener.NONE, states, 2)).isEqualTo(atOnce);

        try (Federation federation = new Federation(model, Runs.settings(recipe, 2), Runs.clients(CLIENTS))) {
            assertThatThrownBy(() -> federation.run(RunListener.NONE, states))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("its participation is 0.4, wanted this run's: absent");
        }
    }

    /** 0.05 of 7 is 0.35, and 0.5 of 7 is 3.5. */
    @Test
    void atLeastOneAndRounded() {
        SortedSet<String> ids = new TreeSet<>(List.of("a", "b", "c", "d", "e", "f", "g"));
        RoundContext context = new RoundContext(recipe, 2, 1, 0);
        assertThat(context.participants(ids, 0.05)).hasSize(1);
        assertThat(context.participants(ids, 0.5)).hasSize(4);
        assertThat(context.participants(ids, 1)).isEqualTo(ids);
    }

    /** Which clients come depends on seed and round alone. */
    @Test
    void theSeedDraws() {
        SortedSet<String> ids = new TreeSet<>();
        for (int i = 0; i < 100; i++) {
            ids.add("client-" + i);
        }
        Set<SortedSet<String>> draws = new HashSet<>();
        for (long seed = 0; seed < 4; seed++) {
            SortedSet<String> draw = new RoundContext(recipe, 2, seed, 1).participants(ids, 0.1);
            assertThat(new RoundContext(recipe, 9, seed, 2).participants(ids, 0.1))
                    .isEqualTo(draw);
            draws.add(draw);
        }
        assertThat(draws).hasSize(4);
    }

    @Test
    void aRoundWithoutAnyUpdateIsRefused() {
        AdapterState initial = AdapterState.initial(Runs.LORA, ModuleShape.of(model.config(), Runs.LORA), Runs.SEED);
        Server server = new Server(new SharedParts(initial, MagnitudeAxis.ROW), new TreeMap<>());
        assertThatThrownBy(() -> server.aggregate(new RoundContext(recipe, 2, 1, 1), Updates.of(List.of())))
                .isInstanceOf(BadInputException.class)
                .hasMessage("round 1/2, phase adapt: no client's update, wanted at least one");
    }

    private static TinyFederation.Models run(RunListener listener, StateFolder states, int rounds) throws IOException {
        try (Federation federation = new Federation(model, settings(rounds), Runs.clients(CLIENTS))) {
            assertThat(federation.clientsPerRound()).isEqualTo(2);
            federation.run(listener, states);
            return TinyFederation.Models.of(federation);
        }
    }

    private static Federation.Settings settings(int rounds) {
        return new Federation.Settings(
                Runs.LORA, recipe, rounds, Runs.BATCH, Runs.WINDOW, Runs.PADDING, Runs.SEED, SHARE);
    }
}
