package org.fedlora4j.common;

/**
 * The user's input is wrong: a file, a field, a setting or an argument. The message is one line that names the file or
 * field, the value found and the value wanted; the command line prints it without a stack trace and exits with code 2.
 */
public final class BadInputException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    public BadInputException(String message) {
        super(message);
    }

    public BadInputException(String message, Throwable cause) {
        super(message, cause);
    }
}
