package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How long a phase waits, with times that are made up. It begins at second 0; a answered at once, b didn't. */
class WaitingTest {
    private static final SortedSet<String> CLIENTS = new TreeSet<>(List.of("a", "b"));

    /** A client is silent after 1,800 seconds, and late after 86,400. */
    private static final GrpcEngine.Settings SETTINGS =
            new GrpcEngine.Settings(CLIENTS, 1, Duration.ofMinutes(30), Duration.ofDays(1), 10);

    private final List<String> log = new ArrayList<>();
    private Turn turn;

    @BeforeEach
    void begin() throws Exception {
        RoundContext context = TinyFederation.settings(1).context(0);
        SharedParts shared = TinyFederation.settings(1).initial(TinyFederation.MODEL);
        turn = new Turn(context, shared, CLIENTS, at(0));
        turn.begun("a", at(0));
        turn.accept(new SharedUpdate(
                "a",
                context.phase(),
                context.roundsBefore(),
                shared,
                3,
                Map.of("loss", 1.0, "padding", 0.0, "tokens", 9.0),
                shared.values(Set.of(Part.A, Part.B))));
    }

    @Test
    void whoIsSilentIsLostAfterTheRoundTimeout() {
        Waiting waiting = waiting(1);
        assertThat(waiting.isOver(at(1_799))).isFalse();
        assertThat(waiting.isOver(at(1_800))).isTrue();
        assertThat(turn.state("b", SETTINGS, at(1_800))).isEqualTo("silent");
        assertThat(log).isEmpty();
    }

    /** B fetched its task at second 10, once more later, and reports again and again. */
    @Test
    void whoOnlyReportsIsLostAfterThePhaseTimeout() {
        Waiting waiting = waiting(1);
        turn.begun("b", at(10));
        turn.begun("b", at(500));
        for (int second = 1_000; second < 86_410; second += 1_000) {
            turn.progress("b", 1, at(second));
            assertThat(waiting.isOver(at(second))).as("second %d", second).isFalse();
        }
        turn.progress("b", 1, at(86_409));
        assertThat(waiting.isOver(at(86_409))).isFalse();
        assertThat(turn.state("b", SETTINGS, at(86_409))).isEqualTo("training");
        assertThat(log).isEmpty();

        assertThat(waiting.isOver(at(86_410))).isTrue();
        assertThat(turn.state("b", SETTINGS, at(86_410))).isEqualTo("late");
        assertThat(waiting.isOver(at(86_411))).isTrue();
        assertThat(log)
                .singleElement()
                .asString()
                .contains(
                        "\"event\":\"late\",\"client\":\"b\",\"round\":\"warm-up 1/1\",\"phase\":\"warm-up\"",
                        "trains for longer than phase-timeout, 86400 s");
    }

    /** As one that is silent is: whoever must answer is waited for, and the log says so. */
    @Test
    void whoIsLateIsWaitedForWhereItIsNeeded() {
        Waiting waiting = waiting(2);
        turn.begun("b", at(10));
        turn.heard("b", at(90_000));
        assertThat(waiting.isOver(at(90_000))).isFalse();
        waiting.tell(at(90_000));
        assertThat(log).hasSize(2);
        assertThat(log.get(1))
                .contains("\"event\":\"waiting\"", "\"for\":[\"b\"],\"silent\":[],\"late\":[\"b\"],\"arrived\":1");
    }

    private Waiting waiting(int needed) {
        return new Waiting(turn, needed, SETTINGS, new EventLog(log::add, InstantSource.system()));
    }

    /** As {@link System#nanoTime} has it, from an origin of its own. */
    private static long at(long seconds) {
        return -1_000_000_007L + 1_000_000_000L * seconds;
    }
}
