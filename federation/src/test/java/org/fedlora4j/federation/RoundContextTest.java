package org.fedlora4j.federation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
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
    void clientsAndPhasesDrawApart() throws IOException {
        Set<Long> seeds = new HashSet<>();
        contexts().forEach(context -> {
            seeds.add(context.clientSeed("1"));
            seeds.add(context.clientSeed("2"));
        });
        assertThat(seeds).hasSize(16);
    }

    @Test
    void refusesAStageThatTheRunDoesNotHave() throws IOException {
        Recipe recipe = RecipeFile.load("fedlora-optimizer");
        assertThatThrownBy(() -> new RoundContext(recipe, 2, 1, 8)).hasMessage("stage 8 of 8");
    }

    private static List<RoundContext> contexts() throws IOException {
        Recipe recipe = RecipeFile.load("fedlora-optimizer");
        return IntStream.range(0, RoundContext.stages(recipe, 2))
                .mapToObj(stage -> new RoundContext(recipe, 2, 1, stage))
                .toList();
    }
}
