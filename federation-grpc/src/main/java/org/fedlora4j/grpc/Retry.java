package org.fedlora4j.grpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.SSLException;
import org.fedlora4j.common.BadInputException;
import org.jspecify.annotations.Nullable;

/** Calls a server again, after growing pauses, while that may help. */
final class Retry {
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    /** What no second try mends. */
    private static final Set<Status.Code> FINAL = Set.of(
            Status.Code.UNAUTHENTICATED,
            Status.Code.PERMISSION_DENIED,
            Status.Code.UNIMPLEMENTED,
            Status.Code.INVALID_ARGUMENT);

    private final Endpoint server;
    private final Duration firstPause;
    private final Duration patience;
    private final EventLog log;

    /**
     * @param firstPause doubles with each failure in a row
     * @param patience how long a server may be away
     */
    Retry(Endpoint server, Duration firstPause, Duration patience, EventLog log) {
        this.server = server;
        this.firstPause = firstPause;
        this.patience = patience;
        this.log = log;
    }

    /** A call of the server. */
    interface Call<T> {
        T call() throws IOException;
    }

    <T> T run(String what, Call<T> call) throws IOException {
        long began = System.nanoTime();
        Duration pause = firstPause;
        while (true) {
            try {
                return call.call();
            } catch (StatusRuntimeException e) {
                String reason = reason(e);
                if (isFinal(e)) {
                    throw new BadInputException("server " + server + ": " + reason, e);
                }
                if (System.nanoTime() - began > patience.toNanos()) {
                    throw new BadInputException(
                            "server " + server + ": " + reason + ", wanted an answer within " + patience.toSeconds()
                                    + " s",
                            e);
                }
                log.event("trying again", "call", what, "reason", reason, "milliseconds", pause.toMillis());
                sleep(pause);
                Duration doubled = pause.multipliedBy(2);
                pause = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
            }
        }
    }

    /** Half of the pause is drawn, so that clients that lost a server together don't come back together. */
    private static void sleep(Duration pause) throws InterruptedIOException {
        long half = Math.max(1, pause.toMillis() / 2);
        try {
            Thread.sleep(half + ThreadLocalRandom.current().nextLong(half));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for the server");
        }
    }

    private static boolean isFinal(StatusRuntimeException failure) {
        return FINAL.contains(failure.getStatus().getCode()) || tlsProblem(failure) != null;
    }

    private static String reason(StatusRuntimeException failure) {
        Throwable tls = tlsProblem(failure);
        if (tls != null) {
            return "no secure connection: " + tls.getMessage();
        }
        String description = failure.getStatus().getDescription();
        Throwable cause = failure.getCause();
        return failure.getStatus().getCode()
                + (description == null ? "" : ": " + description)
                + (cause == null || cause.getMessage() == null ? "" : " (" + cause.getMessage() + ")");
    }

    private static @Nullable Throwable tlsProblem(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SSLException) {
                return cause;
            }
        }
        return null;
    }
}
