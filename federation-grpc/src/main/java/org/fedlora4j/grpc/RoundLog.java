package org.fedlora4j.grpc;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;

/** Logs how the rounds go on, and remembers the learning curve. */
final class RoundLog implements RunListener {
    private static final String DONE = "phase done";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final EventLog log;
    private final SortedMap<Integer, Status.Point> points = new TreeMap<>();

    /** @param earlier the log of earlier servers of this run; need not exist */
    RoundLog(EventLog log, Path earlier) throws IOException {
        this.log = log;
        if (Files.exists(earlier)) {
            Files.readAllLines(earlier).forEach(this::remember);
        }
    }

    synchronized List<Status.Point> curve() {
        return List.copyOf(points.values());
    }

    @Override
    public void phaseEnded(RoundContext context, PhaseResult result) {
        log.event(
                DONE,
                "stage",
                context.stage(),
                "round",
                context.label(),
                "phase",
                result.phase(),
                "clients",
                result.clients().keySet(),
                "loss",
                result.loss(),
                "bytes",
                result.bytesUp());
        add(new Status.Point(
                context.stage(),
                context.label(),
                result.phase(),
                result.loss(),
                result.clients().size()));
    }

    @Override
    public void warning(String line) {
        log.event("warning", "message", line);
    }

    private synchronized void add(Status.Point point) {
        // A server that went back to an earlier state does later phases again.
        points.tailMap(point.stage()).clear();
        points.put(point.stage(), point);
    }

    private void remember(String line) {
        try {
            JsonNode event = JSON.readTree(line);
            if (event.path("event").asText().equals(DONE)) {
                add(new Status.Point(
                        event.path("stage").asInt(),
                        event.path("round").asText(),
                        event.path("phase").asText(),
                        event.path("loss").asDouble(),
                        event.path("clients").size()));
            }
        } catch (JsonProcessingException e) {
            // The last line of a killed server may be half a line; it says nothing of a phase.
            log.event("warning", "message", "a line of the log is no JSON: " + e.getOriginalMessage());
        }
    }
}
