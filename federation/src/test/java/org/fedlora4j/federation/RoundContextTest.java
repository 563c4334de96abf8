package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.fedlora4j.lora.LearningRateSchedule;
import org.junit.jupiter.api.Test;

class RoundContextTest {
    @Test
    void warmUpRoundsThenRoundsOfPhases() throws IOException {
        assertThat(contexts()).hasSize(2 + 2 * 3);
        assertThat(contexts())
                .extracting(context -> context.label() + " " + context.phase().name() + " " + context.roundsBefore()
                        + (context.startsRound() ? " first" : "") + (context.endsRound() ? " last" : ""))
                .containsExactly(
                        "warm-up 1/2 warm-up 0 first last",
                        "warm-up 2/2 warm-up 1 first last",
                        "round 1/2 adapt 2 first",
                        "round 1/2 direction 2",
                        "round 1/2 magnitude 2 last",
                        "round 2/2 adapt 3 first",
                        "round 2/2 direction 3",
                        "round 2/2 magnitude 3 last");
    }

    @Test
    void theFinishComesOnceAfterTheLastRound() throws IOException {
        Recipe recipe = finishing();
        assertThat(contexts(recipe, 2))
                .extracting(context -> context.kind() + ", " + context.label() + " "
                        + context.phase().name() + " " + context.roundsBefore() + " " + context.round() + " of "
                        + context.roundsOfKind() + (context.startsRound() ? " first" : "")
                        + (context.endsRound() ? " last" : "") + (context.endsRun() ? " of all" : ""))
                .containsExactly(
                        "warm-up, warm-up 1/2 warm-up 0 1 of 2 first last",
                        "warm-up, warm-up 2/2 warm-up 1 2 of 2 first last",
                        "round, round 1/2 adapt 2 1 of 2 first last",
                        "round, round 2/2 adapt 3 2 of 2 first last",
                        "finish, finish phase 4 1 of 1 first",
                        "finish, finish magnitude 4 1 of 1 last of all");
        assertThat(contexts(recipe, 0))
                .extracting(context -> context.label() + " " + context.roundsBefore())
                .containsExactly("warm-up 1/2 0", "warm-up 2/2 1", "finish 2", "finish 2");
    }

    @Test
    void clientsAndPhasesDrawApart() throws IOException {
        Set<Long> seeds = new HashSet<>();
        contexts().forEach(context -> {
            seeds.add(context.clientSeed("1"));
            seeds.add(context.clientSeed("2"));
        });
        assertThat(seeds).hasSize(16);
    }

    /** Where a round and the finish have phases of one name, the kind of round tells them apart. */
    @Test
    void kindsOfRoundsDrawApart() throws IOException {
        RoundContext round = contexts().get(4);
        RoundContext finish = contexts(finishing(), 2).get(5);
        assertThat(round.phase().name()).isEqualTo(finish.phase().name());
        assertThat(round.round()).isEqualTo(finish.round());
        assertThat(round.clientSeed("1")).isNotEqualTo(finish.clientSeed("1"));
    }

    /** Over 2 rounds of 12 steps the linear schedule loses 1/24 a step, over a finish of 12 steps 1/12. */
    @Test
    void aScheduleIsOverAllRoundsOfThePhase() throws IOException {
        List<RoundContext> contexts = contexts(finishing(), 2);
        assertThat(contexts.get(0).rateFactor(11)).isEqualTo(1);
        assertThat(contexts.get(2).rateFactor(0)).isEqualTo(1);
        assertThat(contexts.get(2).rateFactor(6)).isEqualTo(0.75);
        assertThat(contexts.get(3).rateFactor(0)).isEqualTo(0.5);
        assertThat(contexts.get(3).rateFactor(6)).isEqualTo(0.25);
        assertThat(contexts.get(5).rateFactor(0)).isEqualTo(1);
        assertThat(contexts.get(5).rateFactor(9)).isEqualTo(0.25);
    }

    @Test
    void refusesAStageThatTheRunDoesNotHave() throws IOException {
        Recipe recipe = RecipeFile.load("fedlora-optimizer");
        assertThatThrownBy(() -> new RoundContext(recipe, 2, 1, 8)).hasMessage("stage 8 of 8");
    }

    private static List<RoundContext> contexts() throws IOException {
        return contexts(RecipeFile.load("fedlora-optimizer"), 2);
    }

    private static List<RoundContext> contexts(Recipe recipe, int rounds) {
        return IntStream.range(0, RoundContext.stages(recipe, rounds))
                .mapToObj(stage -> new RoundContext(recipe, rounds, 1, stage))
                .toList();
    }

    /** With a finish of two phases, and linear schedules but in the warm-up. */
    private static Recipe finishing() throws IOException {
        Recipe recipe = RecipeFile.load("fedavg-then-magnitude");
        Phase adapt = recipe.round().get(0);
        Phase settle = Adapters.phase(adapt.train(), adapt.share());
        List<Phase> round = List.of(Runs.trained(adapt, LearningRateSchedule.LINEAR, 0));
        Phase magnitude = Runs.trained(recipe.finish().get(0), LearningRateSchedule.LINEAR, 0);
        return Runs.withFinish(
                Runs.of(recipe, 2, recipe.warmUp(), round, recipe.privateFactorIn()),
                List.of(settle, magnitude),
                recipe.privateFactorIn());
    }
}
