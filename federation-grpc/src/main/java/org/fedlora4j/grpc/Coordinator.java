package org.fedlora4j.grpc;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
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

    private final RunOffer offer;
    private final GrpcEngine.Settings settings;
    private final Members members;
    private final Submissions submissions;
    private final EventLog log;

    private @Nullable Turn turn;
    private @Nullable SharedParts result;
    private final Set<String> told = new TreeSet<>();
    private boolean closed;

    /** What a client is told to do. */
    sealed interface Task {
        record Wait() implements Task {}

        record Train(int stage, String digest, SharedParts shared) implements Task {}

        record Finished(String digest, SharedParts shared) implements Task {}
    }

    Coordinator(RunOffer offer, GrpcEngine.Settings settings, Members members, EventLog log) {
        this.offer = offer;
        this.settings = settings;
        this.members = members;
        this.submissions = new Submissions(offer.id(), members, log);
        this.log = log;
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

    /** See {@link Submissions#admit}. */
    synchronized Submissions.Admission admit(String client, UpdateHeader header) {
        return submissions.admit(turn, client, header);
    }

    /** Some of an update arrived. */
    synchronized void heard(Turn of, String client) {
        of.heard(client, System.nanoTime());
    }

    /** An update was read and checked. */
    synchronized SubmitReply accept(Turn of, SharedUpdate update) {
        SubmitReply reply = submissions.accept(turn, of, update);
        notifyAll();
        return reply;
    }

    /** An update isn't as it should be. */
    synchronized SubmitReply refuse(Turn of, String client, String reason) {
        SubmitReply reply = submissions.refuse(of, client, reason);
        notifyAll();
        return reply;
    }

    /** Has clients train a phase, and waits for them. */
    synchronized List<SharedUpdate> train(
            RoundContext context, SharedParts shared, SortedSet<String> asked, RunListener listener)
            throws IOException {
        Turn now = new Turn(context, shared, asked, System.nanoTime());
        turn = now;
        notifyAll();
        log.event("phase", "round", context.label(), "phase", context.phase().name(), "clients", asked);
        Waiting waiting = new Waiting(now, Math.min(settings.minClients(), asked.size()), settings, log);
        Set<String> announced = new TreeSet<>();
        while (true) {
            for (SharedUpdate update : now.updates().values()) {
                if (announced.add(update.clientId())) {
                    listener.updateSent(context, update);
                }
            }
            if (waiting.isOver(System.nanoTime())) {
                break;
            }
            waiting.tell(System.nanoTime());
            pause(LOOK_AGAIN_MILLIS);
        }
        if (!now.missing().isEmpty()) {
            log.event("went on without", "round", context.label(), "clients", now.missing());
            listener.warning(now.label() + ": went on without " + now.missing());
        }
        turn = null;
        submissions.phaseDone(now);
        return List.copyOf(now.updates().values());
    }

    /** The run is over; waits until every client has the result, but not longer than for a lost client. */
    synchronized void finish(SharedParts shared) throws IOException {
        result = shared;
        notifyAll();
        long end = System.nanoTime() + settings.roundTimeout().toNanos();
        SortedSet<String> without = new TreeSet<>(members.clients());
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
        for (String client : members.clients()) {
            String state = !members.hasJoined(client)
                    ? "away"
                    : now == null ? "waiting" : now.state(client, settings, System.nanoTime());
            int step = 0;
            int steps = 0;
            if (now != null && (state.equals("training") || state.equals("late"))) {
                step = now.step(client);
                steps = now.context().phase().steps();
            }
            states.add(new Status.Client(client, state, members.examples(client), step, steps));
        }
        return new Status(
                offer.id(),
                now == null ? "" : now.context().label(),
                now == null ? "" : now.context().phase().name(),
                result != null,
                states,
                List.of(),
                submissions.bytes());
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
}
