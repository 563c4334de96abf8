package org.fedlora4j.federation;

import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.fedlora4j.common.BadInputException;

/** The updates of a phase. They are handed over one by one, so not all need be in memory at once. */
public interface Updates extends AutoCloseable {
    /** What each update weighs, by client id. */
    SortedMap<String, Long> weights();

    /** Hands over all updates, in order of client id; once. */
    void forEach(Consumer<SharedUpdate> receiver) throws IOException;

    /** Lets go of those that weren't handed over. */
    @Override
    void close();

    /** Updates that are here, of one client each, in any order. */
    static Updates of(List<SharedUpdate> updates) {
        SortedMap<String, SharedUpdate> byClient = new TreeMap<>();
        SortedMap<String, Long> weights = new TreeMap<>();
        for (SharedUpdate update : updates) {
            if (byClient.put(update.clientId(), update) != null) {
                throw new BadInputException(
                        "two updates of client " + update.clientId() + " in phase " + update.phase());
            }
            weights.put(update.clientId(), update.weight());
        }
        return new Updates() {
            @Override
            public SortedMap<String, Long> weights() {
                return Collections.unmodifiableSortedMap(weights);
            }

            @Override
            public void forEach(Consumer<SharedUpdate> receiver) {
                byClient.values().forEach(receiver);
            }

            @Override
            public void close() {
                // They are the garbage collector's.
            }
        };
    }
}
