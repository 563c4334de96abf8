package org.fedlora4j.grpc;

import java.util.SortedSet;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;

/** How long a turn waits for its clients, and whom the log says it waits for. Guarded by its {@link Coordinator}. */
final class Waiting {
    private final Turn turn;
    private final int needed;
    private final GrpcEngine.Settings settings;
    private final EventLog log;

    private final SortedSet<String> toldLate = new TreeSet<>();
    private String told = "";

    /** @param needed how many updates the turn can't do without */
    Waiting(Turn turn, int needed, GrpcEngine.Settings settings, EventLog log) {
        this.turn = turn;
        this.needed = needed;
        this.settings = settings;
        this.log = log;
    }

    /**
     * Whether enough have answered and nobody else will, as far as is known at a time.
     *
     * @param now in {@link System#nanoTime}
     * @throws BadInputException if so many were refused that the others are too few
     */
    boolean isOver(long now) {
        SortedSet<String> missing = turn.missing();
        int arrived = turn.updates().size();
        if (arrived + missing.size() < needed) {
            throw new BadInputException(turn.label() + ": updates refused " + turn.refused() + ", wanted at least "
                    + needed + " in all, with " + arrived + " here and " + missing.size() + " to come");
        }
        tellLate(now);
        if (arrived < needed) {
            return false;
        }
        SortedSet<String> lost = turn.silent(settings.roundTimeout(), now);
        lost.addAll(turn.late(settings.phaseTimeout(), now));
        return lost.equals(missing);
    }

    /** Says whom the server waits for, when that has changed. */
    void tell(long now) {
        SortedSet<String> missing = turn.missing();
        SortedSet<String> silent = turn.silent(settings.roundTimeout(), now);
        SortedSet<String> late = turn.late(settings.phaseTimeout(), now);
        String waiting = missing + " " + silent + " " + late;
        if (!waiting.equals(told)) {
            log.event(
                    "waiting",
                    "round",
                    turn.context().label(),
                    "for",
                    missing,
                    "silent",
                    silent,
                    "late",
                    late,
                    "arrived",
                    turn.updates().size(),
                    "needed",
                    needed);
        }
        told = waiting;
    }

    private void tellLate(long now) {
        for (String client : turn.late(settings.phaseTimeout(), now)) {
            if (toldLate.add(client)) {
                log.event(
                        "late",
                        "client",
                        client,
                        "round",
                        turn.context().label(),
                        "phase",
                        turn.context().phase().name(),
                        "reason",
                        "trains for longer than phase-timeout, "
                                + settings.phaseTimeout().toSeconds() + " s");
            }
        }
    }
}
