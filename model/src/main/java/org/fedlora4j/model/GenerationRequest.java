package org.fedlora4j.model;

import java.util.Set;

/**
 * Texts to continue.
 *
 * @param prompts [rows][length of the row]
 * @param maxNewTokens at most so many per row, at least 1
 * @param stopIds tokens that end a row; they are not part of the result
 * @param sampling how tokens are chosen
 * @param listener is told each token as it comes
 */
public record GenerationRequest(
        int[][] prompts, int maxNewTokens, Set<Integer> stopIds, Sampling sampling, Listener listener) {
    /** Sees texts grow. */
    @FunctionalInterface
    public interface Listener {
        /** Lets every row run to its end. */
        Listener NONE = (row, token) -> true;

        /**
         * A row's next token, which is part of the result.
         *
         * @return whether the row goes on
         */
        boolean next(int row, int token);
    }

    public GenerationRequest {
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException("new tokens " + maxNewTokens + "; wanted at least 1");
        }
        stopIds = Set.copyOf(stopIds);
    }

    /** The likeliest token, again and again. */
    public static GenerationRequest greedy(int[][] prompts, int maxNewTokens, Set<Integer> stopIds) {
        return new GenerationRequest(prompts, maxNewTokens, stopIds, Sampling.GREEDY, Listener.NONE);
    }
}
