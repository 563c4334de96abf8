package org.fedlora4j.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.FileSystemException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import javax.net.ssl.SSLException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.hub.HubConnection.TransientException;
import org.jspecify.annotations.Nullable;

/**
 * How often one request is tried, and how long it waits in between: twice as long after each failure in a row, or as
 * long as the server's {@code Retry-After} says.
 */
final class Retry {
    private static final int MOST_FAILURES = 6;
    private static final Duration SHORTEST_TOLD = Duration.ofSeconds(4);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

    private final HubConnection connection;
    private final Duration firstPause;
    private final String what;
    private final Progress progress;
    private int failures;

    /** @param what is asked for, as a message names it */
    Retry(HubConnection connection, Duration firstPause, String what, Progress progress) {
        this.connection = connection;
        this.firstPause = firstPause;
        this.what = what;
        this.progress = progress;
    }

    /** A request and the reading of its answer. */
    @FunctionalInterface
    interface Request<T> {
        T run() throws IOException;
    }

    /**
     * Runs a request until it succeeds.
     *
     * @throws DownloadFailedException when it has failed too often in a row
     */
    <T> T run(Request<T> request) throws IOException {
        while (true) {
            try {
                return request.run();
            } catch (FileSystemException | InterruptedIOException e) {
                throw e; // our own disk, or told to stop
            } catch (IOException e) {
                pause(e);
            }
        }
    }

    /** Something was received: failures before it count no more. */
    void progressed() {
        failures = 0;
    }

    private void pause(IOException error) throws IOException {
        failures++;
        boolean never = !connection.reached()
                && (error instanceof ConnectException
                        || error instanceof HttpConnectTimeoutException
                        || error instanceof SSLException);
        if (never || failures >= MOST_FAILURES) {
            throw new DownloadFailedException(
                    what + ": " + describe(error) + "; the same command goes on from here", error);
        }
        Duration asked = error instanceof TransientException refused ? asked(refused.retryAfter()) : Duration.ZERO;
        Duration doubled = firstPause.multipliedBy(1L << (failures - 1));
        Duration pause = asked.compareTo(doubled) > 0 ? asked : doubled;
        if (pause.compareTo(SHORTEST_TOLD) >= 0) {
            progress.line(what + ": " + describe(error) + "; next try in " + Progress.time((double) pause.toSeconds()));
        }
        try {
            Thread.sleep(pause.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        }
    }

    /** {@code Retry-After}: seconds or a date (RFC 9110, 10.2.3); what is neither counts as none. */
    static Duration asked(@Nullable String retryAfter) {
        if (retryAfter == null) {
            return Duration.ZERO;
        }
        Duration asked;
        try {
            asked = retryAfter.matches("\\d{1,9}")
                    ? Duration.ofSeconds(Long.parseLong(retryAfter))
                    : Duration.between(
                            Instant.now(), ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME));
        } catch (DateTimeException e) {
            return Duration.ZERO;
        }
        return asked.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : asked;
    }

    private String describe(IOException error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException) {
                return endpoint() + " is not reachable: unknown host";
            }
        }
        if (error instanceof ConnectException) {
            return endpoint() + " is not reachable: connection refused";
        }
        String message = error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
        return (failures == 1 ? "" : failures + " failures, the last: ") + RepositoryPath.printable(message);
    }

    private String endpoint() {
        return connection.settings().endpoint().toString();
    }
}
