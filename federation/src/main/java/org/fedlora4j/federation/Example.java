package org.fedlora4j.federation;

import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.TokenBatch;

/**
 * One text to train on.
 *
 * @param ids the tokens, at least two
 * @param labels as many: the token that should have been predicted at this position, or {@link TokenBatch#IGNORED}. The
 *     first token is never predicted; at least one later one must be
 */
public record Example(int[] ids, int[] labels) {
    public Example {
        if (ids.length != labels.length) {
            throw new IllegalArgumentException(ids.length + " ids and " + labels.length + " labels");
        }
        boolean target = false;
        for (int position = 1; position < labels.length; position++) {
            target |= labels[position] != TokenBatch.IGNORED;
        }
        if (!target) {
            throw new BadInputException(
                    "an example of " + ids.length + " tokens without a target, wanted at least one");
        }
    }
}
