package org.fedlora4j.grpc;

import java.util.Optional;
import java.util.Set;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.grpc.wire.SubmitReply;
import org.fedlora4j.grpc.wire.UpdateHeader;
import org.jspecify.annotations.Nullable;

/** What clients are answered about their updates. Guarded by its {@link Coordinator}. */
final class Submissions {
    private static final int LONGEST_REASON = 500;

    private final String run;
    private final Members members;
    private final EventLog log;

    private int doneStage = -1;
    private Set<String> doneClients = Set.of();
    private long bytes;

    Submissions(String run, Members members, EventLog log) {
        this.run = run;
        this.members = members;
        this.log = log;
    }

    /** The turn that an update belongs to, or what its sender is told instead. */
    record Admission(@Nullable Turn turn, SubmitReply reply) {}

    /** Payload of all that was accepted. */
    long bytes() {
        return bytes;
    }

    /** A phase is over; who sends its update of it again is told that it is here. */
    void phaseDone(Turn turn) {
        doneStage = turn.context().stage();
        doneClients = turn.updates().keySet();
    }

    /** Looks at an update's header; {@code now} is what is trained now, if anything. */
    Admission admit(@Nullable Turn now, String client, UpdateHeader header) {
        int stage = header.getStage();
        if (!header.getRun().equals(run)) {
            return new Admission(null, refusal(client, stage, "run '" + header.getRun() + "', wanted " + run));
        }
        boolean isHere =
                now != null && now.context().stage() == stage && now.updates().containsKey(client);
        if (isHere || (stage == doneStage && doneClients.contains(client))) {
            return new Admission(null, already(client, stage));
        }
        if (now == null || now.context().stage() != stage) {
            int at = now == null ? doneStage + 1 : now.context().stage();
            String when = stage < at ? ", which is over" : ", which has not begun";
            return new Admission(
                    null, refusal(client, stage, "phase " + stage + " of the run" + when + ", wanted " + at));
        }
        Optional<String> objection = now.objection(client, header, members.examples(client));
        return objection.isPresent()
                ? new Admission(null, refusal(client, stage, objection.get()))
                : new Admission(now, SubmitReply.getDefaultInstance());
    }

    /** Takes an update that was read and checked for the turn {@code of}, unless that is over. */
    SubmitReply accept(@Nullable Turn now, Turn of, SharedUpdate update) {
        String client = update.clientId();
        int stage = of.context().stage();
        if (now != of) {
            return refusal(client, stage, of.label() + " is over");
        }
        if (of.updates().containsKey(client)) {
            return already(client, stage);
        }
        of.accept(update);
        bytes += update.bytes();
        log.event(
                "accepted",
                "client",
                client,
                "round",
                of.context().label(),
                "phase",
                update.phase(),
                "bytes",
                update.bytes());
        return reply(SubmitReply.Outcome.ACCEPTED, "");
    }

    /** An update isn't as it should be. Its client is left out of this phase: it would send the same again. */
    SubmitReply refuse(Turn of, String client, String reason) {
        of.refuse(client, shortened(reason));
        return refusal(client, of.context().stage(), reason);
    }

    /** What a client sent may be in the reason, however long. */
    static String shortened(String reason) {
        return reason.length() <= LONGEST_REASON ? reason : reason.substring(0, LONGEST_REASON) + " ...";
    }

    private SubmitReply already(String client, int stage) {
        log.event("sent again", "client", client, "stage", stage);
        return reply(SubmitReply.Outcome.ACCEPTED_ALREADY, "");
    }

    private SubmitReply refusal(String client, int stage, String found) {
        String reason = shortened(found);
        log.event("refused", "client", client, "stage", stage, "reason", reason);
        return reply(SubmitReply.Outcome.REFUSED, reason);
    }

    private static SubmitReply reply(SubmitReply.Outcome outcome, String reason) {
        return SubmitReply.newBuilder().setOutcome(outcome).setReason(reason).build();
    }
}
