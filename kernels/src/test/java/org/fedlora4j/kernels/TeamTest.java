package org.fedlora4j.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TeamTest {
    @ParameterizedTest
    @CsvSource({"0, 1", "1, 1", "2, 1", "7, 4", "8, 4", "1000, 1", "1001, 16"})
    void everyTurnRunsOnce(int n, int grain) {
        for (int repetition = 0; repetition < 1_000; repetition++) {
            AtomicIntegerArray runs = new AtomicIntegerArray(n);
            Team.run(n, grain, (from, to, member) -> {
                assertThat(from % grain).isZero();
                assertThat(member).isLessThan(Team.size());
                for (int i = from; i < to; i++) {
                    runs.incrementAndGet(i);
                }
            });
            for (int i = 0; i < n; i++) {
                assertThat(runs.get(i)).isEqualTo(1);
            }
        }
    }

    /** The caller looks at its helper's share when that may be done, begun or neither. */
    @ParameterizedTest
    @CsvSource({"0", "10", "1000"})
    void aShareRunsOnceHoweverLongTheCallersTakes(int turnsOfTheCaller) {
        int shares = Team.size();
        for (int repetition = 0; repetition < 2_000; repetition++) {
            AtomicIntegerArray runs = new AtomicIntegerArray(shares);
            Team.run(shares, 1, (from, to, member) -> {
                for (int i = from == 0 ? turnsOfTheCaller : 0; i > 0; i--) {
                    Thread.onSpinWait();
                }
                runs.incrementAndGet(from);
            });
            for (int share = 0; share < shares; share++) {
                assertThat(runs.get(share)).isEqualTo(1);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"0", "1"})
    void aFailureReachesTheCallerAndTheTeamGoesOn(int failing) {
        int turns = Team.size();
        int turn = Math.min(failing, turns - 1);
        assertThatThrownBy(() -> Team.run(turns, 1, (from, to, member) -> {
                    if (from == turn) {
                        throw new IllegalStateException("share " + turn);
                    }
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("share " + turn);
        everyTurnRunsOnce(16, 1);
    }
}
