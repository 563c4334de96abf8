package org.fedlora4j.tokenizer;

import java.util.Arrays;

/**
 * One training example: T ids and T labels.
 *
 * @param ids prompt, response, eos, cut to the longest allowed length
 * @param labels the id itself in the response and eos, {@link #IGNORED} in the prompt; not shifted: the label at t + 1
 *     is the target of position t
 * @param promptTokens how many of the ids belong to the prompt
 * @param truncated whether ids were cut off; then there is no eos
 */
public record EncodedExample(int[] ids, int[] labels, int promptTokens, boolean truncated) {
    /** The label of a position that isn't trained on (PyTorch's {@code ignore_index}). */
    public static final int IGNORED = -100;

    public EncodedExample {
        if (labels.length != ids.length || promptTokens < 0 || promptTokens > ids.length) {
            throw new IllegalArgumentException(ids.length + " ids, " + labels.length + " labels, " + promptTokens
                    + " prompt tokens; wanted as many labels as ids, and no more prompt tokens");
        }
    }

    /** How many positions have a target. The first id is never one: nothing precedes it. */
    public int targets() {
        return (int)
                Arrays.stream(labels).skip(1).filter(label -> label != IGNORED).count();
    }

    /** False if the cut left nothing of the response: the example trains nothing and should be dropped and counted. */
    public boolean hasTargets() {
        return targets() > 0;
    }
}
