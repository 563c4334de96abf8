package org.fedlora4j.model;

import org.fedlora4j.common.BadInputException;

/**
 * How the next token is drawn from its logits, as transformers does it: softmax of logits / temperature, cut to the
 * likeliest tokens whose probabilities sum to at least {@code topP}.
 *
 * @param temperature 0 takes the likeliest token always; 1 is the model's own distribution
 * @param topP 1 cuts nothing
 * @param seed the same seed gives a row the same text, whatever the other rows of its batch are
 */
public record Sampling(double temperature, double topP, long seed) {
    /** The likeliest token, always. */
    public static final Sampling GREEDY = new Sampling(0, 1, 0);

    public Sampling {
        if (!(temperature >= 0 && Double.isFinite(temperature))) {
            throw new BadInputException("temperature: " + temperature + ", wanted a number of at least 0");
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new BadInputException("top-p: " + topP + ", wanted a number above 0 and at most 1");
        }
    }

    /** Whether nothing is drawn. */
    public boolean isGreedy() {
        return temperature == 0;
    }
}
