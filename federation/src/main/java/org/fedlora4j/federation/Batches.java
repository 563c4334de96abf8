package org.fedlora4j.federation;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.fedlora4j.model.TokenBatch;

/**
 * A client's examples without end: epoch after epoch, each in a new order, cut into batches of one size. A batch may begin
 * in one epoch and end in the next.
 */
final class Batches {
    private final List<Example> order;
    private final int size;
    private final int padId;
    private final Random random;
    private int next;

    /** @param seed the same seed gives the same batches */
    Batches(List<Example> examples, int size, int padId, long seed) {
        this.order = new ArrayList<>(examples);
        this.size = size;
        this.padId = padId;
        this.random = new Random(seed);
        this.next = order.size();
    }

    TokenBatch next() {
        int[][] ids = new int[size][];
        int[][] labels = new int[size][];
        for (int row = 0; row < size; row++) {
            if (next == order.size()) {
                Collections.shuffle(order, random);
                next = 0;
            }
            Example example = order.get(next++);
            ids[row] = example.ids();
            labels[row] = example.labels();
        }
        return new TokenBatch(ids, labels, padId);
    }
}
