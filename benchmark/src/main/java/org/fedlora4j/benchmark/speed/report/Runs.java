package org.fedlora4j.benchmark.speed.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.fedlora4j.benchmark.speed.Measurement;

/** All measurements of a session: of several subjects, such as fedlora4j and a peer, at several points, in turns. */
final class Runs {
    private final List<Run> runs = new ArrayList<>();

    /**
     * One measurement.
     *
     * @param point what was computed, such as {@code 1x128}
     * @param subject who computed it
     * @param turn from 1; subjects are compared within a turn
     */
    record Run(String point, String subject, int turn, Measurement measurement) {}

    /**
     * How much one subject has of something for each that another has.
     *
     * @param median over turns
     * @param least of all turns
     * @param most of all turns
     */
    record Ratio(double median, double least, double most) {}

    void add(Run run) {
        runs.add(run);
    }

    List<Run> all() {
        return Collections.unmodifiableList(runs);
    }

    boolean has(String point, String subject) {
        return !byTurn(point, subject).isEmpty();
    }

    /** The median over turns of something measured; NaN if it never was. */
    double median(String point, String subject, ToDoubleFunction<Measurement> measured) {
        List<Double> values = byTurn(point, subject).values().stream()
                .map(measured::applyAsDouble)
                .toList();
        return values.isEmpty() ? Double.NaN : Measurement.median(values);
    }

    /** What {@code subject} has for each that {@code other} had in the same turn; NaN if they never were in one. */
    Ratio ratio(String point, String subject, String other, ToDoubleFunction<Measurement> measured) {
        Map<Integer, Measurement> others = byTurn(point, other);
        List<Double> ratios = new ArrayList<>();
        byTurn(point, subject).forEach((turn, measurement) -> {
            Measurement beside = others.get(turn);
            if (beside != null) {
                ratios.add(measured.applyAsDouble(measurement) / measured.applyAsDouble(beside));
            }
        });
        if (ratios.isEmpty()) {
            return new Ratio(Double.NaN, Double.NaN, Double.NaN);
        }
        return new Ratio(Measurement.median(ratios), Collections.min(ratios), Collections.max(ratios));
    }

    /** The versions of the peers' libraries. */
    SortedMap<String, String> versions() {
        SortedMap<String, String> versions = new TreeMap<>();
        runs.forEach(run -> versions.putAll(run.measurement().versions()));
        return versions;
    }

    private SortedMap<Integer, Measurement> byTurn(String point, String subject) {
        SortedMap<Integer, Measurement> measurements = new TreeMap<>();
        for (Run run : runs) {
            if (run.point().equals(point) && run.subject().equals(subject)) {
                measurements.put(run.turn(), run.measurement());
            }
        }
        return measurements;
    }
}
