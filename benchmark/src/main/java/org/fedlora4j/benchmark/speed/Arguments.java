package org.fedlora4j.benchmark.speed;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Fields;
import org.jspecify.annotations.Nullable;

/** A program's arguments: those that it must have, in their order, and options as {@code --name=value}. */
public final class Arguments {
    private static final String OPTION = "--";

    private final Map<String, String> values = new HashMap<>();

    private final String line;

    private Arguments(String line) {
        this.line = line;
    }

    /** Ends a program whose arguments or files are wrong with the line that says so, and no stack trace. */
    public static void showMistakesPlainly() {
        Thread main = Thread.currentThread();
        Thread.UncaughtExceptionHandler others = main.getUncaughtExceptionHandler();
        main.setUncaughtExceptionHandler((thread, failure) -> {
            if (failure instanceof BadInputException) {
                System.err.println(failure.getMessage());
            } else {
                others.uncaughtException(thread, failure);
            }
        });
    }

    /**
     * Reads arguments. An option without a value has the empty one.
     *
     * @param wanted names of the arguments that must be there
     * @param options names of the options there are
     * @throws BadInputException if an argument is missing or there is one too many, or an option is unknown
     */
    public static Arguments parse(String[] arguments, List<String> wanted, Set<String> options) {
        Arguments parsed = new Arguments(String.join(" ", arguments));
        List<String> plain = new ArrayList<>();
        for (String argument : arguments) {
            if (argument.startsWith(OPTION)) {
                String[] pair = argument.substring(OPTION.length()).split("=", 2);
                if (!options.contains(pair[0])) {
                    throw new BadInputException(argument + ": no such option; there are " + OPTION
                            + String.join(", " + OPTION, new TreeSet<>(options)));
                }
                parsed.values.put(pair[0], pair.length == 2 ? pair[1] : "");
            } else {
                plain.add(argument);
            }
        }
        if (plain.size() != wanted.size()) {
            throw new BadInputException("found " + plain + ", wanted " + String.join(" ", wanted));
        }
        for (int i = 0; i < plain.size(); i++) {
            parsed.values.put(wanted.get(i), plain.get(i));
        }
        return parsed;
    }

    /** Whether an option was given. */
    public boolean has(String option) {
        return values.containsKey(option);
    }

    /** An argument that must be there. */
    public String text(String name) {
        return Objects.requireNonNull(values.get(name), name);
    }

    public String text(String option, String otherwise) {
        return values.getOrDefault(option, otherwise);
    }

    /** An argument that must be there, as a path. */
    public Path path(String name) {
        return Path.of(text(name));
    }

    /** An argument that must be there, as a number of at least 1. */
    public int number(String name) {
        return number(name, text(name));
    }

    /** An option as a number of at least 1. */
    public int number(String option, int otherwise) {
        String value = values.get(option);
        return value == null ? otherwise : number(OPTION + option, value);
    }

    /** An option as one of an enum's constants, in lower case. */
    public <E extends Enum<E>> E choice(String option, E otherwise) {
        @Nullable String value = values.get(option);
        E[] constants = otherwise.getDeclaringClass().getEnumConstants();
        return Stream.of(constants)
                .filter(constant -> value == null
                        ? constant == otherwise
                        : Fields.hyphenated(constant).equals(value))
                .findFirst()
                .orElseThrow(() -> new BadInputException(OPTION + option + ": " + value + ", wanted one of "
                        + Stream.of(constants).map(Fields::hyphenated).toList()));
    }

    /** As they were given. */
    @Override
    public String toString() {
        return line;
    }

    private static int number(String name, String value) {
        try {
            int number = Integer.parseInt(value);
            if (number >= 1) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Refused below, as numbers that are too small are.
        }
        throw new BadInputException(name + ": '" + value + "', wanted a whole number of at least 1");
    }
}
