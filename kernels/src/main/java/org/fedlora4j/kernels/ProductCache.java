package org.fedlora4j.kernels;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Products by shape, at most so many: of those made first, one that nobody has asked for lately makes room. Whoever holds
 * it may go on using it; its native memory is given back once nobody does.
 */
final class ProductCache {
    private final int bound;
    private final Map<Product.Shape, Entry> entries = new ConcurrentHashMap<>();
    /** The same, oldest first. */
    private final Queue<Entry> order = new ArrayDeque<>();

    private int droppedSinceCollection;

    /** @param bound on products that are kept though nobody holds them, at least 1 */
    ProductCache(int bound) {
        this.bound = bound;
    }

    /**
     * The product of a shape, made if need be. To find it takes no lock and, but for the first time, writes nothing:
     * attention asks thousands of times a step, from all threads.
     */
    Product get(Product.Shape shape) {
        Entry entry = entries.get(shape);
        if (entry == null) {
            return add(shape);
        }
        if (!entry.used) {
            entry.used = true;
        }
        return entry.product;
    }

    private synchronized Product add(Product.Shape shape) {
        @Nullable Entry added = entries.get(shape);
        if (added != null) {
            return added.product;
        }
        Entry entry = new Entry(shape, OneDnn.withOneThread(() -> new Product(shape)));
        while (order.size() >= bound) {
            makeRoom();
        }
        order.add(entry);
        entries.put(shape, entry);
        return entry.product;
    }

    /** Looks at the oldest: one that was used counts as new, once more. */
    private void makeRoom() {
        Entry oldest = order.remove();
        if (oldest.used) {
            oldest.used = false;
            order.add(oldest);
            return;
        }
        entries.remove(oldest.shape);
        droppedSinceCollection++;
        if (droppedSinceCollection > bound / 2) {
            // The heap grows by a few hundred bytes a product, so by itself the collector would come far too late.
            System.gc();
            droppedSinceCollection = 0;
        }
    }

    private static final class Entry {
        final Product.Shape shape;
        final Product product;
        /** Whether anybody has asked for it since it was new; a race costs no more than a product that is made again. */
        volatile boolean used;

        Entry(Product.Shape shape, Product product) {
            this.shape = shape;
            this.product = product;
        }
    }
}
