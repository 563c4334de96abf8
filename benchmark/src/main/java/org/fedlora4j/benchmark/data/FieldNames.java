package org.fedlora4j.benchmark.data;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;

/**
 * Which field of a data set is which part of a record. Parts without a name of their own have Alpaca's ({@code
 * instruction, input, output}) or Dolly's ({@code instruction, context, response, category}), whichever a record has.
 *
 * @param named the names of parts that have other names
 */
public record FieldNames(Map<Part, String> named) {
    public static final FieldNames USUAL = new FieldNames(Map.of());

    /** The parts of a record. */
    public enum Part {
        INSTRUCTION,
        INPUT,
        OUTPUT,
        CATEGORY,
        ID
    }

    public FieldNames {
        EnumMap<Part, String> sorted = new EnumMap<>(Part.class);
        sorted.putAll(named);
        sorted.forEach((part, name) -> {
            if (name.isEmpty()) {
                throw new BadInputException(part.name().toLowerCase(Locale.ROOT) + ": '', wanted a field's name");
            }
        });
        named = Collections.unmodifiableMap(sorted);
    }

    /** The names that a part may have, the first of which counts. */
    List<String> of(Part part) {
        return named.containsKey(part) ? List.of(Objects.requireNonNull(named.get(part))) : usual(part);
    }

    /** All fields that are read. */
    Set<String> all() {
        return Stream.of(Part.values()).flatMap(part -> of(part).stream()).collect(Collectors.toUnmodifiableSet());
    }

    private static List<String> usual(Part part) {
        return switch (part) {
            case INSTRUCTION -> List.of("instruction");
            case INPUT -> List.of("input", "context");
            case OUTPUT -> List.of("output", "response");
            case CATEGORY -> List.of("category");
            case ID -> List.of("id");
        };
    }
}
