package org.fedlora4j.federation.data;

import java.util.Arrays;
import org.apache.commons.math3.random.Well19937c;
import org.apache.commons.math3.util.MathArrays;
import org.fedlora4j.common.BadInputException;

/**
 * One client's training and test records, disjoint.
 *
 * @param train places in the list of all records, in the order drawn
 * @param test likewise
 */
public record TrainTestSplit(int[] train, int[] test) {

    /**
     * Draws the test records first, so that they stay the same whatever {@code trainLimit} is: at most
     * {@code testLimit}, and at most half of the client's. Then at most {@code trainLimit} of the rest to train on.
     * Depends on the client's own id and records only, not on who else takes part.
     *
     * @throws BadInputException if the client has fewer than two records or a limit is below one
     */
    public static TrainTestSplit of(ClientShard shard, int trainLimit, int testLimit, long seed) {
        requireLimit("train-per-client", trainLimit);
        requireLimit("test-per-client", testLimit);
        int[] shuffled = shard.indices().clone();
        if (shuffled.length < 2) {
            throw new BadInputException("client " + shard.clientId() + " has " + shuffled.length
                    + " record, wanted at least 2: one to train on and one to be tested on");
        }
        MathArrays.shuffle(shuffled, new Well19937c(new int[] {
            (int) (seed >>> 32), (int) seed, shard.clientId().hashCode()
        }));
        int test = Math.min(testLimit, shuffled.length / 2);
        int end = test + Math.min(trainLimit, shuffled.length - test);
        return new TrainTestSplit(Arrays.copyOfRange(shuffled, test, end), Arrays.copyOf(shuffled, test));
    }

    private static void requireLimit(String name, int limit) {
        if (limit < 1) {
            throw new BadInputException(name + " is " + limit + ", wanted at least 1");
        }
    }
}
