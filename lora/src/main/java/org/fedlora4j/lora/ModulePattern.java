package org.fedlora4j.lora;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.fedlora4j.common.BadInputException;

/**
 * A key of PEFT's rank_pattern and alpha_pattern: a regular expression for the end of a module's path, after a dot or
 * from the start, as in PEFT's get_pattern_key.
 */
final class ModulePattern {
    private static final int MOST_STEPS = 1_000_000;

    private final String key;
    private final Pattern pattern;

    ModulePattern(String key) {
        this.key = key;
        try {
            this.pattern = Pattern.compile("(.*\\.)?(" + key + ")");
        } catch (PatternSyntaxException e) {
            throw new BadInputException(
                    "lora: the pattern '" + key + "' is not a regular expression: " + e.getDescription(), e);
        }
    }

    boolean matches(String module) {
        return pattern.matcher(new CountedText(module)).matches();
    }

    /** A text that ends a search gone exponential: patterns come from files, and a path has some 40 characters. */
    private final class CountedText implements CharSequence {
        private final String text;
        private int steps;

        CountedText(String text) {
            this.text = text;
        }

        @Override
        public char charAt(int index) {
            if (++steps > MOST_STEPS) {
                throw new BadInputException("lora: the pattern '" + key + "' takes too long to match " + text);
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.substring(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
