package org.fedlora4j.benchmark.speed;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a process measured.
 *
 * @param millis of every timed step, in order
 * @param tokens that one step computes
 * @param peakBytes the most resident memory that the process has had; 0 where the system is not Linux and doesn't tell
 * @param values what else is known, by name
 * @param versions of the libraries that computed, by name; a peer's
 */
@JsonIgnoreProperties(
        value = {"medianMillis", "tokensPerSecond"},
        allowGetters = true)
public record Measurement(
        List<Double> millis,
        double tokens,
        long peakBytes,
        SortedMap<String, Double> values,
        SortedMap<String, String> versions) {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final String PEAK = "VmHWM:";
    /** Seconds, if no others are asked for; the peers have the same. */
    static final int WARM_UP = 8;

    public Measurement {
        millis = List.copyOf(millis);
        if (millis.isEmpty()) {
            throw new IllegalArgumentException("nothing was timed");
        }
        values = Collections.unmodifiableSortedMap(new TreeMap<>(values));
        versions = Collections.unmodifiableSortedMap(new TreeMap<>(versions));
    }

    /** What this process measured, whose memory has peaked by now. */
    static Measurement here(List<Double> millis, double tokens, SortedMap<String, Double> values) throws IOException {
        return new Measurement(millis, tokens, status(ProcessHandle.current().pid(), PEAK), values, new TreeMap<>());
    }

    /**
     * Runs a step again and again.
     *
     * @param warmUp seconds in which steps, one at least, are not timed: the JVM compiles what runs often
     * @return the milliseconds of each step after that
     */
    static List<Double> time(int warmUp, int steps, Runnable step) {
        long began = System.nanoTime();
        do {
            step.run();
        } while (System.nanoTime() - began < warmUp * 1_000_000_000L);
        List<Double> millis = new ArrayList<>();
        for (int i = 0; i < steps; i++) {
            long stepBegan = System.nanoTime();
            step.run();
            millis.add((System.nanoTime() - stepBegan) / 1e6);
        }
        return millis;
    }

    /** This, and what else became known. */
    public Measurement with(String name, double value) {
        SortedMap<String, Double> more = new TreeMap<>(values);
        more.put(name, value);
        return new Measurement(millis, tokens, peakBytes, more, versions);
    }

    @JsonProperty
    public double medianMillis() {
        return median(millis);
    }

    @JsonProperty
    public double tokensPerSecond() {
        return 1000 * tokens / medianMillis();
    }

    /** The middle value, or the mean of both that are in the middle. */
    public static double median(Collection<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int count = sorted.size();
        return (sorted.get((count - 1) / 2) + sorted.get(count / 2)) / 2;
    }

    /** One line of JSON. */
    public String toJson() throws IOException {
        return MAPPER.writeValueAsString(this);
    }

    /** Reads what {@link #toJson} or a peer wrote. */
    public static Measurement fromJson(String line) {
        try {
            return MAPPER.readValue(line, Measurement.class);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("not a measurement: " + line, e);
        }
    }

    /**
     * Bytes that Linux has noted of a process.
     *
     * @param field of {@code /proc/PID/status}, with its colon, such as {@code VmHWM:}
     * @return 0 where the system is not Linux, or the process has ended
     */
    public static long status(long process, String field) throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(Path.of("/proc", Long.toString(process), "status"));
        } catch (NoSuchFileException e) {
            return 0;
        }
        return lines.stream()
                .filter(line -> line.startsWith(field))
                .map(line -> line.replaceAll("[^0-9]", ""))
                .mapToLong(kilobytes -> 1024 * Long.parseLong(kilobytes))
                .findFirst()
                .orElse(0);
    }
}
