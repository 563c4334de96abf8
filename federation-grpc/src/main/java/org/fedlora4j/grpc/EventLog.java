package org.fedlora4j.grpc;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.fedlora4j.common.FileProblems;

/** What happened, a JSON object a line. Safe for use by several threads. */
public final class EventLog {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Consumer<String> lines;
    private final InstantSource clock;
    private final SortedMap<String, Long> counts = new TreeMap<>();

    /** @param lines takes each line, without its end */
    public EventLog(Consumer<String> lines, InstantSource clock) {
        this.lines = lines;
        this.clock = clock;
    }

    /**
     * Appends to a file, and shows each line too. One that can't be written is only shown: a full disk must not end a round.
     */
    public static EventLog to(Path file, Consumer<String> shown) throws IOException {
        createFolder(file);
        return new EventLog(
                line -> {
                    shown.accept(line);
                    try {
                        append(file, line);
                    } catch (FileSystemException e) {
                        System.err.println(FileProblems.describe(e));
                    }
                },
                InstantSource.system());
    }

    /**
     * Appends to a file that must miss nothing: {@link #event} throws an {@link UncheckedIOException} for a line that can't
     * be written.
     */
    public static EventLog complete(Path file) throws IOException {
        createFolder(file);
        return new EventLog(
                line -> {
                    try {
                        append(file, line);
                    } catch (FileSystemException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                InstantSource.system());
    }

    /**
     * Notes an event.
     *
     * @param namesAndValues the event's fields, names and values in turn; numbers stay numbers
     */
    synchronized void event(String event, Object... namesAndValues) {
        ObjectNode line = JSON.createObjectNode();
        line.put("time", clock.instant().toString()).put("event", event);
        for (int i = 0; i < namesAndValues.length; i += 2) {
            line.set(namesAndValues[i].toString(), JSON.valueToTree(namesAndValues[i + 1]));
        }
        lines.accept(line.toString());
        counts.merge(event, 1L, Long::sum);
    }

    /** How often each event happened. */
    synchronized Map<String, Long> counts() {
        return new TreeMap<>(counts);
    }

    private static void createFolder(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
    }

    /** Opens and closes the file for each line: lines are few, and none is lost with the process. */
    private static void append(Path file, String line) throws FileSystemException {
        try {
            Files.writeString(
                    file, line + "\n", StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            FileSystemException named =
                    new FileSystemException(file.toString(), null, "can't be written: " + e.getMessage());
            named.initCause(e);
            throw named;
        }
    }
}
