package org.fedlora4j.federation.data;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.apache.commons.math3.random.Well19937c;
import org.apache.commons.math3.util.MathArrays;
import org.fedlora4j.common.BadInputException;

/**
 * Which clients take no part in training, so that they can show how a model serves those who come later.
 *
 * @param count so many, drawn by the seed; 0 where they are named
 * @param ids these; empty where they are drawn
 */
public record UnseenClients(int count, Set<String> ids) {
    /** Every client trains. */
    public static final UnseenClients NONE = new UnseenClients(0, Set.of());

    public UnseenClients {
        ids = Collections.unmodifiableSortedSet(new TreeSet<>(ids));
        if (count < 0) {
            throw new BadInputException("unseen-clients: " + count + ", wanted at least 0");
        }
        if (count > 0 && !ids.isEmpty()) {
            throw new IllegalArgumentException(count + " clients and " + ids + ", wanted a number or names");
        }
    }

    /**
     * The ids of those that take no part.
     *
     * @param clients all ids
     * @param seed the same seed and clients give the same choice, on every machine
     * @throws BadInputException if no client would be left to train, or one that is named doesn't exist
     */
    public SortedSet<String> of(Set<String> clients, long seed) {
        SortedSet<String> unknown = new TreeSet<>(ids);
        unknown.removeAll(clients);
        if (!unknown.isEmpty()) {
            throw new BadInputException(
                    "data.unseen-clients: " + unknown + " not found, wanted some of " + new TreeSet<>(clients));
        }
        int wanted = count + ids.size();
        if (wanted >= clients.size()) {
            throw new BadInputException("data.unseen-clients: " + wanted + " of " + clients.size()
                    + " clients, wanted at least one that trains");
        }
        return ids.isEmpty() ? drawn(clients, seed) : new TreeSet<>(ids);
    }

    private SortedSet<String> drawn(Set<String> clients, long seed) {
        List<String> ordered = new ArrayList<>(new TreeSet<>(clients));
        int[] places = MathArrays.natural(ordered.size());
        MathArrays.shuffle(places, new Well19937c(seed));
        SortedSet<String> drawn = new TreeSet<>();
        for (int i = 0; i < count; i++) {
            drawn.add(ordered.get(places[i]));
        }
        return drawn;
    }
}
