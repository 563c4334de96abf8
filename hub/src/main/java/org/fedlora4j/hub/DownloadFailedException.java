package org.fedlora4j.hub;

/**
 * The network or the hub failed, and went on failing when the request was repeated. Neither the user's input nor we are
 * at fault; the same download goes on where this one ended. The message is one line.
 */
public final class DownloadFailedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DownloadFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
