package org.fedlora4j.tokenizer;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.common.BadInputException;

/**
 * How an instruction becomes the text that the model answers.
 *
 * @param withoutInput contains {@code {instruction}} once
 * @param withInput contains {@code {instruction}} and {@code {input}} once each; used where the input isn't blank
 */
public record PromptTemplate(String withoutInput, String withInput) {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{(instruction|input)}");

    /** The template of Stanford Alpaca (github.com/tatsu-lab/stanford_alpaca, {@code train.py}). */
    public static final PromptTemplate ALPACA = new PromptTemplate("""
            Below is an instruction that describes a task. \
            Write a response that appropriately completes the request.

            ### Instruction:
            {instruction}

            ### Response:
            """, """
            Below is an instruction that describes a task, paired with an input that provides further context. \
            Write a response that appropriately completes the request.

            ### Instruction:
            {instruction}

            ### Input:
            {input}

            ### Response:
            """);

    /** A question and an answer and nothing else, for models that read byte by byte. */
    public static final PromptTemplate SHORT =
            new PromptTemplate("Q: {instruction}\nA: ", "Q: {instruction}\n{input}\nA: ");

    private static final SortedMap<String, PromptTemplate> NAMED =
            Collections.unmodifiableSortedMap(new TreeMap<>(Map.of("alpaca", ALPACA, "short", SHORT)));

    public PromptTemplate {
        requireCount("without input", withoutInput, "{instruction}", 1);
        requireCount("without input", withoutInput, "{input}", 0);
        requireCount("with input", withInput, "{instruction}", 1);
        requireCount("with input", withInput, "{input}", 1);
    }

    /** The names that the templates have in settings, in order. */
    public static Set<String> names() {
        return NAMED.keySet();
    }

    /** The template of a name in settings; {@link BadInputException} where there is none. */
    public static PromptTemplate named(String name) {
        PromptTemplate template = NAMED.get(name);
        if (template == null) {
            throw new BadInputException("template: " + name + ", wanted one of " + NAMED.keySet());
        }
        return template;
    }

    /** The prompt; what the instruction and the input contain is never taken for a placeholder. */
    public String prompt(String instruction, String input) {
        String template = input.isBlank() ? withoutInput : withInput;
        return PLACEHOLDER
                .matcher(template)
                .replaceAll(match -> Matcher.quoteReplacement(value(match, instruction, input)));
    }

    private static String value(MatchResult placeholder, String instruction, String input) {
        return placeholder.group(1).equals("input") ? input : instruction;
    }

    private static void requireCount(String which, String template, String placeholder, int wanted) {
        long found = PLACEHOLDER
                .matcher(template)
                .results()
                .filter(match -> match.group().equals(placeholder))
                .count();
        if (found != wanted) {
            throw new BadInputException(
                    "prompt template " + which + ": has " + placeholder + " " + found + " times, wanted " + wanted);
        }
    }
}
