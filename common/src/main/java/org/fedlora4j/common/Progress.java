package org.fedlora4j.common;

import java.io.Console;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Tells the user how far long work is. On a terminal one line changes in place; elsewhere, in a log, there is a plain
 * line every few seconds. Safe for use by several threads.
 */
public final class Progress {
    private static final Duration TERMINAL_INTERVAL = Duration.ofMillis(100);
    private static final Duration LOG_INTERVAL = Duration.ofSeconds(5);

    private final PrintStream out;
    private final boolean terminal;
    private final InstantSource clock;

    /** Characters of the changing line that stand on the terminal. */
    private int shownLength;

    private @Nullable Instant shownAt;

    private String work = "";
    private Instant workBegan = Instant.EPOCH;
    private long workBeganAt;

    /**
     * Reports to a stream.
     *
     * @param terminal whether the stream is a terminal, where a line can be written over
     */
    public Progress(PrintStream out, boolean terminal, InstantSource clock) {
        this.out = out;
        this.terminal = terminal;
        this.clock = clock;
    }

    /** Reports to standard error; results on standard output stay apart. */
    public static Progress onStderr() {
        return new Progress(System.err, isOnTerminal(), InstantSource.system());
    }

    /** Reports nothing. */
    public static Progress none() {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        return new Progress(nowhere, false, InstantSource.system());
    }

    /**
     * Shows the part that is done, the rate, and the time left at that rate. What is complete is always shown.
     *
     * @param done bytes so far
     * @param total bytes in all
     * @param what the work, such as "converting"; rate and time left count from its first report
     */
    public synchronized void update(long done, long total, String what) {
        Instant now = clock.instant();
        if (!what.equals(work) || done < workBeganAt) {
            work = what;
            workBegan = now;
            workBeganAt = done;
        }
        double seconds = Duration.between(workBegan, now).toNanos() / 1e9;
        double rate = seconds > 0 ? (done - workBeganAt) / seconds : 0;
        StringBuilder text = new StringBuilder(what)
                .append(String.format(Locale.ROOT, ": %3d %%", total > 0 ? (int) (100.0 * done / total) : 100));
        if (rate > 0) {
            text.append(", ").append(bytes(rate)).append("/s");
        }
        boolean complete = done >= total;
        if (rate > 0 && !complete) {
            text.append(", ").append(time((total - done) / rate)).append(" left");
        }
        show(text.toString(), complete);
        if (complete) {
            work = "";
        }
    }

    /** A stream that shows how much of {@code total} bytes has been written through it. */
    public OutputStream counting(OutputStream out, long total, String what) {
        return new FilterOutputStream(out) {
            private long done;

            @Override
            public void write(int value) throws IOException {
                out.write(value);
                update(++done, total, what);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                out.write(bytes, offset, length);
                done += length;
                update(done, total, what);
            }
        };
    }

    /** Shows how things stand, in any words, in place of what {@link #update} or this showed before. */
    public synchronized void status(String text) {
        show(text, false);
    }

    /** Prints a line that stays. */
    public synchronized void line(String text) {
        show(text, true);
    }

    /** A number of bytes for people to read: {@code 269 MB}. */
    public static String bytes(double bytes) {
        String[] units = {"B", "kB", "MB", "GB", "TB"};
        int unit = 0;
        while (bytes >= 999.5 && unit < units.length - 1) {
            bytes /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, bytes < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    }

    /** A duration for people to read: {@code 45 s}, {@code 3 min 20 s}, {@code 2 h 5 min}. */
    public static String time(double seconds) {
        long whole = Math.round(seconds);
        if (whole < 60) {
            return whole + " s";
        }
        return whole < 3600
                ? whole / 60 + " min " + whole % 60 + " s"
                : whole / 3600 + " h " + whole % 3600 / 60 + " min";
    }

    /** Whether a person is looking: standard input and output are a terminal. */
    @SuppressWarnings(
            "SystemConsoleNull") // From JDK 22 on there always is a console, which says whether it is a terminal.
    public static boolean isOnTerminal() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException e) {
            return true;
        }
    }

    private void show(String text, boolean stays) {
        Instant now = clock.instant();
        Duration interval = terminal ? TERMINAL_INTERVAL : LOG_INTERVAL;
        if (!stays && shownAt != null && now.isBefore(shownAt.plus(interval))) {
            return;
        }
        if (terminal) {
            String rest = " ".repeat(Math.max(0, shownLength - text.length()));
            out.print("\r" + text + rest + (stays ? System.lineSeparator() : ""));
            out.flush();
            shownLength = stays ? 0 : text.length();
        } else {
            out.println(text);
        }
        shownAt = stays ? null : now;
    }
}
