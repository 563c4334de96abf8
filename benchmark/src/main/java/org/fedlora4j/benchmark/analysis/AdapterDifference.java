package org.fedlora4j.benchmark.analysis;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/**
 * How far one adapter is from another.
 *
 * @param from the name of the one
 * @param to the name of the other
 * @param rows by module, with a magnitude and a direction per row
 * @param columns likewise per column
 */
public record AdapterDifference(
        String from, String to, SortedMap<String, Movement> rows, SortedMap<String, Movement> columns) {
    public AdapterDifference {
        rows = Collections.unmodifiableSortedMap(new TreeMap<>(rows));
        columns = Collections.unmodifiableSortedMap(new TreeMap<>(columns));
    }

    /** An adapter by the name that messages and tables call it. */
    record Named(String name, AdapterState state) {}

    /** By module. */
    public SortedMap<String, Movement> along(MagnitudeAxis axis) {
        return axis == MagnitudeAxis.ROW ? rows : columns;
    }

    @FunctionalInterface
    private interface Measure {
        Movement of(LoraPair one, LoraPair other, MagnitudeAxis axis);
    }

    /** What moved from one to the other. */
    static AdapterDifference between(Named before, Named after) {
        return measured(before, after, Movement::between);
    }

    /** The same for two of which neither is before: the order does not matter. */
    static AdapterDifference apart(Named one, Named other) {
        return measured(one, other, Movement::apart);
    }

    private static AdapterDifference measured(Named one, Named other, Measure measure) {
        requireSameShapes(one, other);
        SortedMap<String, Movement> rows = new TreeMap<>();
        SortedMap<String, Movement> columns = new TreeMap<>();
        one.state().modules().forEach((module, pair) -> {
            LoraPair second = other.state().pair(module);
            rows.put(module, measure.of(pair, second, MagnitudeAxis.ROW));
            columns.put(module, measure.of(pair, second, MagnitudeAxis.COLUMN));
        });
        return new AdapterDifference(one.name(), other.name(), rows, columns);
    }

    private static void requireSameShapes(Named one, Named other) {
        SortedMap<String, LoraPair> wanted = one.state().modules();
        if (!other.state().modules().keySet().equals(wanted.keySet())) {
            throw new BadInputException(
                    other.name() + ": adapts " + other.state().config().targets() + ", wanted "
                            + one.state().config().targets() + " as " + one.name());
        }
        wanted.forEach((module, pair) -> {
            LoraPair second = other.state().pair(module);
            requireSameShape(module + ".lora_A", one, pair.a(), other, second.a());
            requireSameShape(module + ".lora_B", one, pair.b(), other, second.b());
        });
    }

    private static void requireSameShape(String matrix, Named one, Matrix wanted, Named other, Matrix found) {
        if (!found.sameShape(wanted)) {
            throw new BadInputException(other.name() + ": " + matrix + " is " + found.shape() + ", wanted "
                    + wanted.shape() + " as in " + one.name());
        }
    }
}
