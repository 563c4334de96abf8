package org.fedlora4j.federation;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.Decomposition;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/**
 * What one client sends after a phase: the new values of the shared parts, and nothing else. An update that holds any
 * other part, misses a module, has another shape, a value that is not finite, a direction that is not of unit length or a
 * matrix with values beyond the client's rank can't be made.
 */
public final class SharedUpdate {
    /** How far a direction's length may be from 1: float rounding over some ten thousand elements, with room. */
    private static final double UNIT_TOLERANCE = 1e-3;

    private final String clientId;
    private final String phase;
    private final int round;
    private final int rank;
    private final long weight;
    private final SortedMap<String, Double> metrics;
    private final PartValues values;

    /**
     * An update that may be sent.
     *
     * @param round counted from 0, warm-up rounds included
     * @param shared the global model that the client started from, for the modules and their shapes
     * @param rank the client's, beyond which matrices are zero; {@link ClientData#FULL_RANK} for all components
     * @param weight the number of training examples
     * @param metrics of the client's training, such as loss and tokens; finite numbers
     * @param values of exactly the parts that the phase shares
     */
    public SharedUpdate(
            String clientId,
            Phase phase,
            int round,
            SharedParts shared,
            int rank,
            long weight,
            Map<String, Double> metrics,
            PartValues values) {
        this.clientId = clientId;
        this.phase = phase.name();
        this.round = round;
        this.rank = rank;
        this.weight = weight;
        this.metrics = Collections.unmodifiableSortedMap(new TreeMap<>(metrics));
        this.values = values;
        require(weight > 0, "weight: " + weight + ", wanted at least 1");
        metrics.forEach(
                (name, value) -> require(Double.isFinite(value), name + ": " + value + ", wanted a finite number"));
        require(
                values.parts().equals(phase.share()),
                "parts " + values.parts() + ", wanted what the phase shares: " + phase.share());
        for (Part part : phase.share()) {
            check(part, shared);
        }
    }

    /** An update of a client of full rank. */
    public SharedUpdate(
            String clientId,
            Phase phase,
            int round,
            SharedParts shared,
            long weight,
            Map<String, Double> metrics,
            PartValues values) {
        this(clientId, phase, round, shared, ClientData.FULL_RANK, weight, metrics, values);
    }

    public String clientId() {
        return clientId;
    }

    public String phase() {
        return phase;
    }

    public int round() {
        return round;
    }

    /** The client's rank, beyond which matrices are zero; {@link ClientData#FULL_RANK} for all components. */
    public int rank() {
        return rank;
    }

    public long weight() {
        return weight;
    }

    public SortedMap<String, Double> metrics() {
        return metrics;
    }

    public PartValues values() {
        return values;
    }

    /** The bytes of the payload, see {@link PartValues#bytes}. */
    public long bytes() {
        return values.bytes(rank);
    }

    private void check(Part part, SharedParts shared) {
        Set<String> modules = shared.adapter().modules().keySet();
        Set<String> found = values.of(part).keySet();
        require(found.equals(modules), part + " of modules " + found + ", wanted " + modules);
        values.of(part).forEach((module, value) -> {
            String name = part + " of " + module;
            String shape = shared.shape(part, module);
            require(value.shape().equals(shape), name + ": shape " + value.shape() + ", wanted " + shape);
            require(value.isFinite(), name + ": holds a value that is not finite");
            if (part.isDirection()) {
                requireUnit(name, value, shared);
            }
            if (part.isMatrix()) {
                requireRank(name, part, value);
            }
        });
    }

    private void requireUnit(String name, Matrix direction, SharedParts shared) {
        Matrix lengths = Decomposition.decompose(direction, shared.axis()).magnitude();
        for (float length : lengths.values()) {
            require(
                    length == 0 || Math.abs(length - 1) < UNIT_TOLERANCE,
                    name + ": a vector of length " + length + ", wanted 1");
        }
    }

    private void requireRank(String name, Part part, Matrix value) {
        for (int i = 0; i < value.values().length; i++) {
            int component = part == Part.A ? i / value.columns() : i % value.columns();
            if (component >= rank && value.values()[i] != 0) {
                throw problem(name + ": " + value.values()[i] + " in component " + (component + 1)
                        + ", wanted 0 beyond the client's rank, " + rank);
            }
        }
    }

    private void require(boolean condition, String problem) {
        if (!condition) {
            throw problem(problem);
        }
    }

    private BadInputException problem(String problem) {
        return new BadInputException("update of client " + clientId + " in phase " + phase + ": " + problem);
    }
}
