package org.fedlora4j.benchmark.metrics;

import java.util.Locale;

/**
 * Equality of two texts regardless of case, ASCII punctuation and the amount of white space, as Natural Instructions
 * evaluates classification (github.com/allenai/natural-instructions, {@code eval/automatic/evaluation.py}).
 */
public final class ExactMatch {
    private ExactMatch() {}

    public static boolean matches(String reference, String prediction) {
        return normalized(reference).equals(normalized(prediction));
    }

    private static String normalized(String text) {
        return text.toLowerCase(Locale.ROOT)
                .replaceAll("\\p{Punct}", "")
                .replaceAll("(?U)\\s+", " ")
                .strip();
    }
}
