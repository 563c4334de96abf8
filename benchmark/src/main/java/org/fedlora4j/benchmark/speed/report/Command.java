package org.fedlora4j.benchmark.speed.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.speed.Measurement;

/** A measuring program with its arguments, to be run in a process of its own. */
record Command(List<String> words, boolean onJvm) {
    /** The most anonymous memory that a process was seen with: what it allocated, and no pages of mapped files. */
    static final String PEAK_ANONYMOUS_BYTES = "peakAnonymousBytes";

    private static final int SHOWN_LINES = 20;
    private static final String ANONYMOUS = "RssAnon:";
    private static final int SAMPLE_MILLIS = 20;

    /** What a program says instead of a measurement: {@code {"declined": "needs 30 GB; 20 GB are available"}}. */
    private static final String DECLINED = "declined";

    /** The program did not begin, for a reason of its own. */
    static final class Declined extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        Declined(String reason) {
            super(reason);
        }
    }

    Command {
        words = List.copyOf(words);
    }

    /** A program of fedlora4j, to be run with the options and the class path of this JVM. */
    static Command java(Class<?> program, String... arguments) {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        words.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
        words.addAll(List.of(arguments));
        return new Command(words, true);
    }

    /** A peer's program. */
    static Command python(String python, Path program, String... arguments) {
        return new Command(
                Stream.concat(Stream.of(python, program.toString()), Stream.of(arguments))
                        .toList(),
                false);
    }

    /**
     * Runs it.
     *
     * @param threads that it may compute with
     * @throws Declined if it says that it can't be run here
     * @throws IllegalStateException if it fails, or takes longer than {@code limit}
     */
    Measurement run(int threads, Duration limit) throws IOException {
        List<String> limited = new ArrayList<>(words);
        if (onJvm) {
            limited.add(1, "-XX:ActiveProcessorCount=" + threads);
        }
        Path out = Files.createTempFile("measured", ".out");
        Path err = Files.createTempFile("measured", ".err");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(limited).redirectOutput(out.toFile()).redirectError(err.toFile());
            builder.environment()
                    .putAll(Map.of("OMP_NUM_THREADS", Integer.toString(threads), "PYTHONDONTWRITEBYTECODE", "1"));
            double peak = requireSuccess(builder.start(), limit, err);
            String line = Files.readAllLines(out).stream()
                    .filter(text -> text.startsWith("{"))
                    .reduce((first, second) -> second)
                    .orElseThrow(() -> new IllegalStateException("printed no measurement: " + this));
            requireMeasured(line);
            return Measurement.fromJson(line).with(PEAK_ANONYMOUS_BYTES, peak);
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** The program and its arguments, without what runs them. */
    @Override
    public String toString() {
        return String.join(" ", words.subList(onJvm ? words.indexOf("-cp") + 2 : 1, words.size()));
    }

    private static void requireMeasured(String line) throws IOException {
        JsonNode reason = new JsonMapper().readTree(line).path(DECLINED);
        if (reason.isTextual()) {
            throw new Declined(reason.asText());
        }
    }

    /** Waits for the process; gives the most anonymous memory that it was seen with. */
    private double requireSuccess(Process process, Duration limit, Path err) throws IOException {
        Instant end = Instant.now().plus(limit);
        long peak = 0;
        try {
            while (!process.waitFor(SAMPLE_MILLIS, TimeUnit.MILLISECONDS)) {
                peak = Math.max(peak, Measurement.status(process.pid(), ANONYMOUS));
                if (Instant.now().isAfter(end)) {
                    throw new IllegalStateException("took longer than " + limit.toSeconds() + " s: " + this);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted: " + this, e);
        } finally {
            process.destroyForcibly();
        }
        if (process.exitValue() != 0) {
            List<String> lines = Files.readAllLines(err);
            throw new IllegalStateException("failed: " + this + "\n"
                    + String.join("\n", lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size())));
        }
        return peak;
    }
}
