package org.fedlora4j.benchmark;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RoundContext;

/**
 * {@code metrics.jsonl}: for every round, warm-up rounds included, a line per phase and then a line for the round. The
 * lines of a round appear together once all is known, so a resumed run neither repeats nor misses one.
 */
final class MetricsLog {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String ROUND = "round";
    private static final String PHASE = "phase";
    private static final String TOKENS = "tokens";
    private static final String PADDING = "padding";
    private static final String DRIFT = "drift";
    private static final String BYTES_UP = "bytesUp";
    private static final String BYTES_DOWN = "bytesDown";
    private static final String SECONDS = "seconds";

    /** The models that a round may have scores of. */
    static final String GLOBAL = "global";

    static final String LOCAL = "local";

    private final Path file;
    private final List<JsonNode> lines = new ArrayList<>();

    /** Goes on from a file, where there is one. */
    MetricsLog(Path file) throws IOException {
        this.file = file;
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                lines.add(parse(line));
            }
        }
    }

    /** Whether the round is recorded. */
    boolean has(RoundContext context) {
        return lines.stream().anyMatch(line -> line.path(ROUND).asText().equals(context.label()));
    }

    /**
     * Records a round.
     *
     * @param seconds that it took
     * @param scores of the models after it, by name; none where it wasn't evaluated
     */
    void add(RoundContext context, List<PhaseResult> phases, double seconds, SortedMap<String, Metrics> scores)
            throws IOException {
        for (PhaseResult phase : phases) {
            ObjectNode line = MAPPER.createObjectNode().put(ROUND, context.label());
            line.put(PHASE, phase.phase()).put("loss", phase.loss());
            line.put(TOKENS, phase.tokens()).put(PADDING, phase.padding());
            ObjectNode drift = line.putObject(DRIFT);
            phase.drift().forEach((part, resultant) -> drift.put(part.toString(), resultant));
            line.put(BYTES_UP, phase.bytesUp()).put(BYTES_DOWN, phase.bytesDown());
            line.set("clients", MAPPER.valueToTree(phase.clients()));
            lines.add(line);
        }
        ObjectNode line = MAPPER.createObjectNode().put(ROUND, context.label()).put(SECONDS, seconds);
        scores.forEach((model, metrics) -> line.set(model, MAPPER.valueToTree(metrics)));
        lines.add(line);
        AtomicFiles.writeString(file, lines.stream().map(each -> each + "\n").collect(Collectors.joining()));
    }

    /** Of all rounds, in seconds. */
    double seconds() {
        return lines.stream().mapToDouble(line -> line.path(SECONDS).asDouble()).sum();
    }

    /** Trained on, by all clients. */
    long tokens() {
        return sum(TOKENS);
    }

    /** Padding among all tokens that training computed. */
    double paddedShare() {
        return TrainingProgress.paddedShare(tokens(), sum(PADDING));
    }

    private long sum(String field) {
        return lines.stream().mapToLong(line -> line.path(field).asLong()).sum();
    }

    /** Every round, with the scores of the models where it was evaluated. */
    List<Result.Round> rounds() throws IOException {
        List<Result.Round> rounds = new ArrayList<>();
        for (JsonNode line : lines) {
            if (!line.has(PHASE)) {
                rounds.add(new Result.Round(
                        line.path(ROUND).asText(),
                        line.path(SECONDS).asDouble(),
                        MAPPER.treeToValue(line.get(GLOBAL), Metrics.class),
                        MAPPER.treeToValue(line.get(LOCAL), Metrics.class)));
            }
        }
        return rounds;
    }

    /** Of the phases that share directions. */
    List<Result.Drift> drift() {
        List<Result.Drift> drift = new ArrayList<>();
        for (JsonNode line : phases()) {
            SortedMap<String, Double> resultants = new TreeMap<>();
            for (Map.Entry<String, JsonNode> part : line.path(DRIFT).properties()) {
                resultants.put(part.getKey(), part.getValue().asDouble());
            }
            if (!resultants.isEmpty()) {
                drift.add(new Result.Drift(
                        line.path(ROUND).asText(), line.path(PHASE).asText(), resultants));
            }
        }
        return drift;
    }

    /** By phase. */
    SortedMap<String, Result.Bytes> bytes() {
        SortedMap<String, Result.Bytes> bytes = new TreeMap<>();
        for (JsonNode line : phases()) {
            bytes.put(
                    line.path(PHASE).asText(),
                    new Result.Bytes(
                            line.path(BYTES_UP).asLong(), line.path(BYTES_DOWN).asLong()));
        }
        return bytes;
    }

    private List<JsonNode> phases() {
        return lines.stream().filter(line -> line.has(PHASE)).toList();
    }

    private JsonNode parse(String line) {
        try {
            return MAPPER.readTree(line);
        } catch (JacksonException e) {
            throw new BadInputException(
                    file + " line " + (lines.size() + 1) + ": not JSON: " + e.getOriginalMessage(), e);
        }
    }
}
