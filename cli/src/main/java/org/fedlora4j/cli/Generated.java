package org.fedlora4j.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/**
 * A generated text.
 *
 * @param promptTokens tokens of the prompt
 * @param tokens tokens of the text, a stop text among them
 * @param promptSeconds until the first token came
 * @param seconds from the first token to the last
 */
record Generated(String text, int promptTokens, int tokens, Finish finish, double promptSeconds, double seconds) {
    /** Why a text ends. */
    enum Finish {
        /** The model ended it. */
        END,
        /** A stop text came. */
        STOP,
        /** It was as long as it may be. */
        LENGTH
    }

    /** How fast it went, for people to read. */
    String speed() {
        return String.format(
                Locale.ROOT,
                "%d tokens of prompt in %.2f s, %d new ones, %.1f a second",
                promptTokens,
                promptSeconds,
                tokens,
                tokensPerSecond());
    }

    ObjectNode toJson() {
        return JsonNodeFactory.instance
                .objectNode()
                .put("text", text)
                .put("finish", finish.name().toLowerCase(Locale.ROOT))
                .put("promptTokens", promptTokens)
                .put("tokens", tokens)
                .put("promptSeconds", promptSeconds)
                .put("tokensPerSecond", tokensPerSecond());
    }

    /** The first token belongs to the prompt's time. */
    private double tokensPerSecond() {
        return tokens < 2 ? 0 : (tokens - 1) / seconds;
    }
}
