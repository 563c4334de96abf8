package org.fedlora4j.federation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.fedlora4j.common.BadInputException;

/**
 * Reads an object of a settings file field by field and collects what is wrong, so that all problems are reported at
 * once. A field that was never asked for is a problem too. A field with a problem reads as some harmless value;
 * {@link #build} makes nothing of it.
 */
public final class Fields {
    private final JsonNode node;
    private final String path;
    private final List<String> problems;
    private final int problemsBefore;
    private final Set<String> known = new LinkedHashSet<>();

    /**
     * An object to read.
     *
     * @param path of the object within the file, empty or ending in a dot
     * @param problems collects what is wrong
     */
    public Fields(JsonNode node, String path, List<String> problems) {
        this.node = node;
        this.path = path;
        this.problems = problems;
        this.problemsBefore = problems.size();
        if (!node.isObject()) {
            String name = path.isEmpty() ? "found " : path.substring(0, path.length() - 1) + ": ";
            problems.add(name + (node.isMissingNode() ? "missing" : node) + ", wanted an object");
        }
    }

    /**
     * Makes something of an object.
     *
     * @param source for messages: where the object is from
     * @throws BadInputException with all problems at once
     */
    static <T> T read(JsonNode node, String source, Function<Fields, Optional<T>> reader) {
        List<String> problems = new ArrayList<>();
        return reader.apply(new Fields(node, "", problems))
                .orElseThrow(() -> new BadInputException(source + ": " + String.join("; ", problems)));
    }

    public boolean has(String key) {
        known.add(key);
        return node.hasNonNull(key);
    }

    /** All keys that the object has, where any is welcome. */
    public List<String> keys() {
        List<String> keys = new ArrayList<>();
        node.fieldNames().forEachRemaining(keys::add);
        return keys;
    }

    public boolean isList(String key) {
        return has(key) && node.get(key).isArray();
    }

    public String text(String key) {
        return read(key, "a text", "", value -> value.isTextual() ? Optional.of(value.textValue()) : Optional.empty());
    }

    public String text(String key, String otherwise) {
        return has(key) ? text(key) : otherwise;
    }

    /** A path; none where there is a problem. */
    public Optional<Path> path(String key) {
        return read(key, "a path", Optional.empty(), value -> {
            try {
                return value.asText().isBlank() ? Optional.empty() : Optional.of(Optional.of(Path.of(value.asText())));
            } catch (InvalidPathException e) {
                return Optional.empty();
            }
        });
    }

    public boolean flag(String key, boolean otherwise) {
        return has(key)
                ? read(
                        key,
                        "true or false",
                        otherwise,
                        value -> value.isBoolean() ? Optional.of(value.booleanValue()) : Optional.empty())
                : otherwise;
    }

    public int integer(String key, int otherwise) {
        return has(key) ? integer(key) : otherwise;
    }

    public int integer(String key) {
        return read(
                key,
                "a whole number",
                0,
                value -> value.isIntegralNumber() && value.canConvertToInt()
                        ? Optional.of(value.intValue())
                        : Optional.empty());
    }

    public double number(String key) {
        return read(
                key, "a number", 0.0, value -> value.isNumber() ? Optional.of(value.doubleValue()) : Optional.empty());
    }

    public double number(String key, double otherwise) {
        return has(key) ? number(key) : otherwise;
    }

    /** A constant of an enum, written in lower case with hyphens. */
    public <E extends Enum<E>> E constant(String key, E otherwise, E[] constants) {
        if (!has(key)) {
            return otherwise;
        }
        List<String> names = new ArrayList<>();
        for (E constant : constants) {
            names.add(hyphenated(constant));
        }
        return read(key, "one of " + names, otherwise, value -> {
            int index = names.indexOf(value.asText());
            return index < 0 ? Optional.empty() : Optional.of(constants[index]);
        });
    }

    public static String hyphenated(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** A list of texts, each turned into something by a function that may refuse it. */
    public <T> Set<T> set(String key, Function<String, T> parse) {
        Set<T> set = new LinkedHashSet<>();
        for (JsonNode element : list(key)) {
            attempt(key + ": ", () -> parse.apply(element.asText())).ifPresent(set::add);
        }
        return set;
    }

    /** The elements of a list; none where the list is absent or not a list. */
    public List<JsonNode> list(String key) {
        return read(key, "a list", List.of(), value -> {
            if (!value.isArray()) {
                return Optional.empty();
            }
            List<JsonNode> elements = new ArrayList<>();
            value.forEach(elements::add);
            return Optional.of(elements);
        });
    }

    /** The objects of a list. */
    public List<Fields> children(String key) {
        List<Fields> children = new ArrayList<>();
        for (JsonNode element : list(key)) {
            children.add(new Fields(element, path + key + "[" + children.size() + "].", problems));
        }
        return children;
    }

    /** The object in a field that is there. */
    public Fields child(String key) {
        known.add(key);
        return new Fields(node.path(key), path + key + ".", problems);
    }

    /** The object in a field, or one without fields where there is none. */
    public Fields childOrEmpty(String key) {
        return has(key) ? child(key) : new Fields(JsonNodeFactory.instance.objectNode(), path + key + ".", problems);
    }

    /** Makes something of the fields read, unless one has a problem; what the maker refuses is a problem. */
    public <T> Optional<T> build(Supplier<T> maker) {
        node.fieldNames().forEachRemaining(key -> {
            if (!known.contains(key)) {
                problems.add(path + key + ": unknown, wanted some of " + known);
            }
        });
        return problems.size() > problemsBefore ? Optional.empty() : attempt("", maker);
    }

    /** Makes something of some of the fields; what the maker refuses is a problem. */
    public <T> Optional<T> attempt(Supplier<T> maker) {
        return attempt("", maker);
    }

    private <T> T read(String key, String wanted, T otherwise, Function<JsonNode, Optional<T>> parse) {
        known.add(key);
        if (!node.hasNonNull(key)) {
            problems.add(path + key + ": missing, wanted " + wanted);
            return otherwise;
        }
        Optional<T> value = parse.apply(node.get(key));
        if (value.isEmpty()) {
            problems.add(path + key + ": " + node.get(key) + ", wanted " + wanted);
        }
        return value.orElse(otherwise);
    }

    private <T> Optional<T> attempt(String key, Supplier<T> maker) {
        try {
            return Optional.of(maker.get());
        } catch (BadInputException e) {
            String where = path + key;
            String problem = String.valueOf(e.getMessage());
            // Some name the object that they are, and its path is that name.
            problems.add(problem.startsWith(where) ? problem : where + problem);
            return Optional.empty();
        }
    }
}
