package org.fedlora4j.federation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.fedlora4j.model.TokenBatch;

/**
 * A client's examples without end: epoch after epoch, each in a new order, cut into batches of one size. A batch may begin
 * in one epoch and end in the next.
 *
 * <p>So that little is padded, examples are taken a window of several batches at a time and sorted by length before they
 * are cut into batches, which then come in random order (as Hugging Face's {@code group_by_length} does). Which examples
 * a window has stays random, and so does which of its batches comes when.
 */
public final class Batches {
    private final List<Example> order;
    private final int size;
    private final int window;
    private final int padId;
    private final Random random;
    private final Deque<List<Example>> ready = new ArrayDeque<>();
    private int next;

    /**
     * Begins with the first epoch.
     *
     * @param size examples of a batch
     * @param window batches that are sorted together; 1 leaves every batch as it was drawn
     * @param seed the same seed gives the same batches
     */
    public Batches(List<Example> examples, int size, int window, int padId, long seed) {
        this.order = new ArrayList<>(examples);
        this.size = size;
        this.window = window;
        this.padId = padId;
        this.random = new Random(seed);
        this.next = order.size();
    }

    /** The next batch; there always is one. */
    public TokenBatch next() {
        if (ready.isEmpty()) {
            fillWindow();
        }
        List<Example> batch = ready.remove();
        return new TokenBatch(
                batch.stream().map(Example::ids).toArray(int[][]::new),
                batch.stream().map(Example::labels).toArray(int[][]::new),
                padId);
    }

    private void fillWindow() {
        List<Example> drawn = new ArrayList<>();
        while (drawn.size() < size * window) {
            if (next == order.size()) {
                Collections.shuffle(order, random);
                next = 0;
            }
            drawn.add(order.get(next++));
        }
        List<List<Example>> batches = new ArrayList<>();
        if (window > 1) {
            drawn.sort(Comparator.comparingInt(example -> example.ids().length));
        }
        for (int begin = 0; begin < drawn.size(); begin += size) {
            batches.add(drawn.subList(begin, begin + size));
        }
        if (window > 1) {
            Collections.shuffle(batches, random);
        }
        ready.addAll(batches);
    }
}
