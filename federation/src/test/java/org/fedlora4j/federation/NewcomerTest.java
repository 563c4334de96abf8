package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that were not in training. */
class NewcomerTest {
    private static final ClientData NEWCOMER =
            new ClientData("newcomer", Runs.clients(3).get(2).train());

    @TempDir
    static Path temporary;

    @AutoClose
    private static LanguageModel model;

    @BeforeAll
    static void open() throws IOException {
        model = TinyFederation.open(temporary.resolve("model"));
    }

    /** Where nothing is shared, nobody notices whether a client was there from the beginning. */
    @Test
    void isAsAClientOfTheFederation() throws IOException {
        Recipe local = Runs.recipe("local");
        Recipe cold = Runs.of(local, 0, List.of(), local.round(), Set.of());
        List<ClientData> both = Runs.clients(2);
        both.add(NEWCOMER);
        AdapterState member;
        try (Federation federation = federation(cold, 2, both)) {
            federation.run(RunListener.NONE);
            member = federation.personal(NEWCOMER.id());
        }
        try (Federation federation = federation(cold, 2, Runs.clients(2))) {
            federation.run(RunListener.NONE);
            assertThat(federation.personalised(NEWCOMER, RunListener.NONE))
                    .isEqualTo(member)
                    .isNotEqualTo(federation.global());
        }
    }

    /** With one example there is one order, so the two see the same batches. */
    @Test
    void finishesAsAClientWithTheSameExample() throws IOException {
        List<Example> example = List.of(TinyFederation.example(new Random(5), 3));
        Recipe recipe = Runs.recipe("fedavg-then-magnitude");
        try (Federation federation = federation(recipe, 1, List.of(new ClientData("member", example)))) {
            federation.run(RunListener.NONE);
            assertThat(federation.personalised(new ClientData("newcomer", example), RunListener.NONE))
                    .isEqualTo(federation.personal("member"))
                    .isNotEqualTo(federation.global());
        }
    }

    /** Also in the middle of a run, and where a phase shares a part of what it trains. */
    @Test
    void changesNothingOfTheFederation() throws IOException {
        for (String name : List.of("fedlora-optimizer", "fedsa-lora")) {
            Recipe recipe = Runs.recipe(name);
            TinyFederation.Models without;
            try (Federation federation = federation(recipe, 2, Runs.clients(2))) {
                federation.run(RunListener.NONE);
                without = TinyFederation.Models.of(federation);
            }
            List<AdapterState> newcomers = new ArrayList<>();
            RunListener listener = new RunListener() {
                @Override
                public void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) {
                    newcomers.add(federation.personalised(NEWCOMER, NONE));
                }
            };
            try (Federation federation = federation(recipe, 2, Runs.clients(2))) {
                federation.run(listener);
                assertThat(TinyFederation.Models.of(federation)).as(name).isEqualTo(without);
                assertThat(federation.personalised(NEWCOMER, RunListener.NONE))
                        .as(name)
                        .isEqualTo(newcomers.get(2));
            }
            assertThat(newcomers).doesNotHaveDuplicates();
        }
    }

    /** Two steps of each, in every round, and none in the warm-up, even where clients keep what they train there. */
    @Test
    void runsThePhasesThatKeepSomething() throws IOException {
        assertThat(steps("fedlora-optimizer"))
                .containsExactly(
                        "newcomer, round 1/2, magnitude 1",
                        "newcomer, round 1/2, magnitude 2",
                        "newcomer, round 2/2, magnitude 1",
                        "newcomer, round 2/2, magnitude 2");
        assertThat(steps("fedavg-then-local"))
                .containsExactly("newcomer, finish, alone 1", "newcomer, finish, alone 2");
        assertThat(steps("local"))
                .containsExactly(
                        "newcomer, round 1/2, alone 1",
                        "newcomer, round 1/2, alone 2",
                        "newcomer, round 2/2, alone 1",
                        "newcomer, round 2/2, alone 2");
    }

    private static List<String> steps(String recipe) throws IOException {
        List<String> steps = new ArrayList<>();
        RunListener listener = new RunListener() {
            @Override
            public void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
                steps.add(clientId + ", " + context.label() + ", "
                        + context.phase().name() + " " + step);
            }
        };
        try (Federation federation = federation(Runs.recipe(recipe), 2, Runs.clients(1))) {
            federation.run(RunListener.NONE);
            federation.personalised(NEWCOMER, listener);
        }
        return steps;
    }

    @Test
    void hasTheGlobalModelWhereNothingIsKept() throws IOException {
        try (Federation federation = federation(Runs.recipe("fedavg-lora"), 1, Runs.clients(2))) {
            federation.run(RunListener.NONE);
            assertThat(federation.personalised(NEWCOMER, RunListener.NONE)).isEqualTo(federation.global());
        }
    }

    @Test
    void isNobodyWhoIsThere() throws IOException {
        try (Federation federation = federation(Runs.recipe("local"), 1, Runs.clients(2))) {
            assertThatThrownBy(() -> federation.personalised(Runs.clients(1).get(0), RunListener.NONE))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("new client client-1: in training already, wanted none of [client-1, client-2]");
        }
    }

    @Test
    void needsAModelThatIsWarm() throws IOException {
        try (Federation federation = federation(Runs.recipe("fedlora-optimizer"), 1, Runs.clients(1))) {
            assertThatThrownBy(() -> federation.personalised(NEWCOMER, RunListener.NONE))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("warm-up needed");
        }
    }

    private static Federation federation(Recipe recipe, int rounds, List<ClientData> clients) {
        return new Federation(model, Runs.settings(recipe, rounds), clients);
    }
}
