package org.fedlora4j.federation;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.Decomposition;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.jspecify.annotations.Nullable;

/**
 * Values of some parts of an adapter.
 *
 * @param values part to module path to value; shapes as in {@link Part}
 */
public record PartValues(SortedMap<Part, SortedMap<String, Matrix>> values) {
    /** No part at all. */
    public static final PartValues NONE = new PartValues(new TreeMap<>());

    public PartValues {
        SortedMap<Part, SortedMap<String, Matrix>> copy = new TreeMap<>();
        values.forEach((part, modules) -> copy.put(part, Collections.unmodifiableSortedMap(new TreeMap<>(modules))));
        values = Collections.unmodifiableSortedMap(copy);
        for (Part part : values.keySet()) {
            for (Part other : values.keySet()) {
                if (part != other && part.overlaps(other)) {
                    throw new IllegalArgumentException(part + " overlaps " + other);
                }
            }
        }
    }

    public Set<Part> parts() {
        return values.keySet();
    }

    /** The values of one part by module; asking for a part that is not there is a mistake. */
    public SortedMap<String, Matrix> of(Part part) {
        SortedMap<String, Matrix> modules = values.get(part);
        if (modules == null) {
            throw new IllegalArgumentException(part + " is not here, but " + values.keySet());
        }
        return modules;
    }

    /** One value; asking for one that is not there is a mistake. */
    public Matrix of(Part part, String module) {
        Matrix value = find(part, module);
        if (value == null) {
            throw new IllegalArgumentException(part + " of " + module + " is not here");
        }
        return value;
    }

    /** The values of those of {@code parts} that are here. */
    public PartValues only(Set<Part> parts) {
        SortedMap<Part, SortedMap<String, Matrix>> kept = new TreeMap<>(values);
        kept.keySet().retainAll(parts);
        return new PartValues(kept);
    }

    /** These values, with {@code other}'s where both have a part. */
    public PartValues with(PartValues other) {
        SortedMap<Part, SortedMap<String, Matrix>> union = new TreeMap<>(values);
        union.putAll(other.values);
        return new PartValues(union);
    }

    /** The bytes of the payload: 4 a value. Of matrices only the first {@code rank} components, rows of A, columns of B. */
    public long bytes(int rank) {
        long count = 0;
        for (Map.Entry<Part, SortedMap<String, Matrix>> entry : values.entrySet()) {
            for (Matrix value : entry.getValue().values()) {
                count += switch (entry.getKey()) {
                    case A -> (long) Math.min(rank, value.rows()) * value.columns();
                    case B -> (long) value.rows() * Math.min(rank, value.columns());
                    default -> value.values().length;
                };
            }
        }
        return 4 * count;
    }

    boolean isFinite() {
        return values.values().stream()
                .flatMap(modules -> modules.values().stream())
                .allMatch(Matrix::isFinite);
    }

    /** Whether parts, modules and shapes are the same. */
    boolean sameShape(PartValues other) {
        return values.keySet().equals(other.values.keySet())
                && values.entrySet().stream().allMatch(entry -> {
                    SortedMap<String, Matrix> theirs = other.of(entry.getKey());
                    return entry.getValue().keySet().equals(theirs.keySet())
                            && entry.getValue().entrySet().stream()
                                    .allMatch(module ->
                                            module.getValue().sameShape(other.of(entry.getKey(), module.getKey())));
                });
    }

    void forEach(BiConsumer<Place, Matrix> action) {
        values.forEach(
                (part, modules) -> modules.forEach((module, value) -> action.accept(new Place(part, module), value)));
    }

    /** New values from old: {@code change} gets the place (part and module) and the value. */
    PartValues map(BiFunction<Place, Matrix, Matrix> change) {
        SortedMap<Part, SortedMap<String, Matrix>> changed = new TreeMap<>();
        values.forEach((part, modules) -> {
            SortedMap<String, Matrix> results = new TreeMap<>();
            modules.forEach((module, value) -> results.put(module, change.apply(new Place(part, module), value)));
            changed.put(part, results);
        });
        return new PartValues(changed);
    }

    /** Where a value belongs. */
    record Place(Part part, String module) {
        /** Unique among all tensors of an adapter: {@code model.layers.0.self_attn.q_proj.A.direction}. */
        String name() {
            return module + "." + part;
        }
    }

    /** The adapter with these values in place of its own; what is not here stays as it is, bit for bit. */
    AdapterState applyTo(AdapterState adapter, MagnitudeAxis axis) {
        SortedMap<String, LoraPair> modules = new TreeMap<>();
        for (Map.Entry<String, LoraPair> entry : adapter.modules().entrySet()) {
            String module = entry.getKey();
            LoraPair pair = entry.getValue();
            modules.put(
                    module,
                    new LoraPair(replaced(Part.A, module, pair.a(), axis), replaced(Part.B, module, pair.b(), axis)));
        }
        return new AdapterState(adapter.config(), modules);
    }

    private @Nullable Matrix find(Part part, String module) {
        SortedMap<String, Matrix> modules = values.get(part);
        return modules == null ? null : modules.get(module);
    }

    private Matrix replaced(Part part, String module, Matrix old, MagnitudeAxis axis) {
        Matrix matrix = find(part, module);
        if (matrix != null) {
            return matrix;
        }
        Matrix direction = find(part.direction(), module);
        Matrix magnitude = find(part.magnitude(), module);
        if (direction == null && magnitude == null) {
            return old;
        }
        Decomposition.MagnitudeAndDirection parts = Decomposition.decompose(old, axis);
        return Decomposition.recompose(
                magnitude == null ? parts.magnitude() : magnitude,
                direction == null ? parts.direction() : direction,
                axis);
    }
}
