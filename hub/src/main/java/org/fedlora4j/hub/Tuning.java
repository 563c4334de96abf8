package org.fedlora4j.hub;

import java.time.Duration;
import org.fedlora4j.common.BadInputException;

/**
 * How a download goes about it.
 *
 * @param connections requests at the same time, 1 to 64
 * @param partBytes longest range of a file that one request asks for
 * @param firstPause between a failure and the next try; doubled after each failure in a row
 * @param silenceLimit how long a server may send nothing until the connection counts as cut
 */
record Tuning(int connections, long partBytes, Duration firstPause, Duration silenceLimit) {
    private static final int MOST_CONNECTIONS = 64;

    Tuning {
        if (connections < 1 || connections > MOST_CONNECTIONS) {
            throw new BadInputException("connections: found " + connections + ", wanted 1 to " + MOST_CONNECTIONS);
        }
        if (partBytes < 1) {
            throw new IllegalArgumentException("partBytes " + partBytes);
        }
    }

    /** For real networks. */
    static Tuning of(int connections) {
        return new Tuning(connections, 64 << 20, Duration.ofSeconds(1), Duration.ofSeconds(30));
    }
}
