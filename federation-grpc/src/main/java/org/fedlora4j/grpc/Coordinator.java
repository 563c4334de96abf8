package org.fedlora4j.grpc;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.grpc.wire.SubmitReply;
import org.fedlora4j.grpc.wire.UpdateHeader;
import org.jspecify.annotations.Nullable;

/**
 * What the threads of a server share: the phase that is trained now, what has arrived of it, who is there. The thread of the
 * rounds waits here for updates, and those of clients' calls for tasks.
 */
final class Coordinator {
    private static final long LOOK_AGAIN_MILLIS = 200;
    private static final int LONGEST_REASON = 500;

    private final RunOffer offer;
    private final SortedSet<String> clients;
    private final GrpcEngine.Settings settings;
    private final EventLog log;

    /** The number of examples of each client that joined. */
    private final SortedMap<String, Long> members = new TreeMap<>();

    private @Nullable Turn turn;
    private int doneStage = -1;
    private Set<String> doneClients = Set.of();
    private @Nullable SharedParts result;
    private final Set<String> told = new TreeSet<>();
    private long updateBytes;
    private boolean closed;

    /** What a client is told to do. */
    sealed interface Task {
        record Wait() implements Task {}

        record Train(int stage, String digest, SharedParts shared) implements Task {}

        record Finished(String digest, SharedParts shared) implements Task {}
    }

    Coordinator(RunOffer offer, GrpcEngine.Settings settings, EventLog log) {
        this.offer = offer;
        this.clients = settings.clients();
        this.settings = settings;
        this.log = log;
    }

    /** Why this client can't take part; empty if it can. */
    synchronized Optional<String> join(String client, long examples) {
        Optional<String> stranger = stranger(client);
        if (stranger.isPresent()) {
            return stranger;
        }
        Long before = members.putIfAbsent(client, examples);
        if (before != null && examples != before) {
            return Optional.of("client " + client + " has " + examples + " examples, wanted the " + before
                    + " that it joined with");
        }
        log.event(before == null ? "joined" : "joined again", "client", client, "examples", examples);
        return Optional.empty();
    }

    /** Why a client isn't among those of the run; empty if it is. */
    Optional<String> stranger(String client) {
        return clients.contains(client)
                ? Optional.empty()
                : Optional.of("client '" + client + "' is unknown, wanted one of the server's clients");
    }

    synchronized boolean hasJoined(String client) {
        return members.containsKey(client);
    }

    /** What the client is to do; after so long without anything to do, that it wait. */
    synchronized Task next(String client, Duration longest) throws InterruptedException {
        long end = System.nanoTime() + longest.toNanos();
        while (!closed) {
            if (result != null) {
                return new Task.Finished(result.digest(), result);
            }
            Turn now = turn;
            if (now != null && now.asks(client)) {
                now.begun(client, System.nanoTime());
                return new Task.Train(now.context().stage(), now.digest(), now.shared());
            }
            long left = Duration.ofNanos(end - System.nanoTime()).toMillis();
            if (left <= 0) {
                break;
            }
            wait(left);
        }
        return new Task.Wait();
    }

    /** The client has all of the result. */
    synchronized void told(String client) {
        if (told.add(client)) {
            log.event("finished", "client", client);
            notifyAll();
        }
    }

    synchronized void progress(String client, int stage, int step) {
        Turn now = turn;
        if (now != null && now.context().stage() == stage && now.asks(client)) {
            now.progress(client, step, System.nanoTime());
        }
    }

    /** The turn that an update belongs to, or what its sender is told instead. */
    record Admission(@Nullable Turn turn, SubmitReply reply) {}

    synchronized Admission admit(String client, UpdateHeader header) {
        Turn now = turn;
        int stage = header.getStage();
        if (!header.getRun().equals(offer.id())) {
            return refusal(client, stage, "run '" + header.getRun() + "', wanted " + offer.id());
        }
        boolean isHere =
                now != null && now.context().stage() == stage && now.updates().containsKey(client);
        if (isHere || (stage == doneStage && doneClients.contains(client))) {
            return already(client, stage);
        }
        if (now == null || now.context().stage() != stage) {
            int at = now == null ? doneStage + 1 : now.context().stage();
            String when = stage < at ? ", which is over" : ", which has not begun";
            return refusal(client, stage, "phase " + stage + " of the run" + when + ", wanted " + at);
        }
        Optional<String> objection = now.objection(client, header, members.getOrDefault(client, 0L));
        return objection.isPresent()
                ? refusal(client, stage, objection.get())
                : new Admission(now, SubmitReply.getDefaultInstance());
    }

    /** Some of an update arrived. */
    synchronized void heard(Turn of, String client) {
        of.heard(client, System.nanoTime());
    }

    /** An update was read and checked. */
    synchronized SubmitReply accept(Turn of, SharedUpdate update) {
        String client = update.clientId();
        int stage = of.context().stage();
        if (turn != of) {
            return refusal(client, stage, of.label() + " is over").reply();
        }
        if (of.updates().containsKey(client)) {
            return already(client, stage).reply();
        }
        of.accept(update);
        updateBytes += update.bytes();
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
        notifyAll();
        return reply(SubmitReply.Outcome.ACCEPTED, "");
    }

    /** An update isn't as it should be. Its client is left out of this phase: it would send the same again. */
    synchronized SubmitReply refuse(Turn of, String client, String reason) {
        of.refuse(client, shortened(reason));
        notifyAll();
        return refusal(client, of.context().stage(), reason).reply();
    }

    /** Has clients train a phase, and waits for them. */
    synchronized List<SharedUpdate> train(
            RoundContext context, SharedParts shared, SortedSet<String> asked, RunListener listener)
            throws IOException {
        Turn now = new Turn(context, shared, asked, System.nanoTime());
        turn = now;
        notifyAll();
        int needed = Math.min(settings.minClients(), asked.size());
        log.event("phase", "round", context.label(), "phase", context.phase().name(), "clients", asked);
        Set<String> announced = new TreeSet<>();
        String told = "";
        while (true) {
            for (SharedUpdate update : now.updates().values()) {
                if (announced.add(update.clientId())) {
                    listener.updateSent(context, update);
                }
            }
            if (isOver(now, needed)) {
                break;
            }
            told = tellWaiting(now, needed, told);
            pause(LOOK_AGAIN_MILLIS);
        }
        if (!now.missing().isEmpty()) {
            log.event("went on without", "round", context.label(), "clients", now.missing());
            listener.warning(now.label() + ": went on without " + now.missing());
        }
        turn = null;
        doneStage = context.stage();
        doneClients = now.updates().keySet();
        return List.copyOf(now.updates().values());
    }

    /** Whether enough have answered and nobody else will. */
    private boolean isOver(Turn now, int needed) {
        SortedSet<String> missing = now.missing();
        int arrived = now.updates().size();
        if (arrived + missing.size() < needed) {
            throw new BadInputException(now.label() + ": updates refused " + now.refused() + ", wanted at least "
                    + needed + " in all, with " + arrived + " here and " + missing.size() + " to come");
        }
        return arrived >= needed
                && now.silent(settings.roundTimeout(), System.nanoTime()).equals(missing);
    }

    /** Says whom the server waits for, when that has changed. */
    private String tellWaiting(Turn now, int needed, String before) {
        SortedSet<String> missing = now.missing();
        SortedSet<String> silent = now.silent(settings.roundTimeout(), System.nanoTime());
        String waiting = missing + " " + silent;
        if (!waiting.equals(before)) {
            log.event(
                    "waiting",
                    "round",
                    now.context().label(),
                    "for",
                    missing,
                    "silent",
                    silent,
                    "arrived",
                    now.updates().size(),
                    "needed",
                    needed);
        }
        return waiting;
    }

    /** The run is over; waits until every client has the result, but not longer than for a lost client. */
    synchronized void finish(SharedParts shared) throws IOException {
        result = shared;
        notifyAll();
        long end = System.nanoTime() + settings.roundTimeout().toNanos();
        SortedSet<String> without = new TreeSet<>(clients);
        while (!without.isEmpty() && System.nanoTime() < end) {
            pause(LOOK_AGAIN_MILLIS);
            without.removeAll(told);
        }
        log.event("done", "without the result", without);
    }

    /** How things stand, without the learning curve. */
    synchronized Status status() {
        Turn now = turn;
        List<Status.Client> states = new ArrayList<>();
        for (String client : clients) {
            boolean here = members.containsKey(client);
            String state = !here
                    ? "away"
                    : now == null ? "waiting" : now.state(client, settings.roundTimeout(), System.nanoTime());
            int step = 0;
            int steps = 0;
            if (now != null && state.equals("training")) {
                step = now.step(client);
                steps = now.context().phase().steps();
            }
            states.add(new Status.Client(client, state, members.getOrDefault(client, 0L), step, steps));
        }
        return new Status(
                offer.id(),
                now == null ? "" : now.context().label(),
                now == null ? "" : now.context().phase().name(),
                result != null,
                states,
                List.of(),
                updateBytes);
    }

    synchronized void close() {
        closed = true;
        notifyAll();
    }

    @SuppressWarnings("WaitNotInLoop") // its callers loop
    private void pause(long millis) throws InterruptedIOException {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for clients");
        }
    }

    private Admission already(String client, int stage) {
        log.event("sent again", "client", client, "stage", stage);
        return new Admission(null, reply(SubmitReply.Outcome.ACCEPTED_ALREADY, ""));
    }

    /** What a client sent may be in the reason, however long. */
    static String shortened(String reason) {
        return reason.length() <= LONGEST_REASON ? reason : reason.substring(0, LONGEST_REASON) + " ...";
    }

    private Admission refusal(String client, int stage, String found) {
        String reason = shortened(found);
        log.event("refused", "client", client, "stage", stage, "reason", reason);
        return new Admission(null, reply(SubmitReply.Outcome.REFUSED, reason));
    }

    private static SubmitReply reply(SubmitReply.Outcome outcome, String reason) {
        return SubmitReply.newBuilder().setOutcome(outcome).setReason(reason).build();
    }
}
