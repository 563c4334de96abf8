package org.fedlora4j.federation;

import java.util.List;
import org.fedlora4j.common.BadInputException;

/**
 * What one client trains, and on what.
 *
 * @param id unique within the federation
 * @param train not empty
 * @param rank how many components of the adapter the client has, the first ones: the others are zero for it, in its
 *     training and in its own model; {@link #FULL_RANK} for all
 */
public record ClientData(String id, List<Example> train, int rank) {
    /** More components than an adapter has. */
    public static final int FULL_RANK = Integer.MAX_VALUE;

    public ClientData {
        train = List.copyOf(train);
        if (id.isBlank()) {
            throw new BadInputException("a client's id: empty");
        }
        if (train.isEmpty()) {
            throw new BadInputException("client " + id + ": no training examples, wanted at least one");
        }
        if (rank < 1) {
            throw new BadInputException("client " + id + ": rank " + rank + ", wanted at least 1");
        }
    }

    /** A client of full rank. */
    public ClientData(String id, List<Example> train) {
        this(id, train, FULL_RANK);
    }

    /** The same client with only the first {@code rank} components. */
    public ClientData withRank(int rank) {
        return new ClientData(id, train, rank);
    }

    boolean hasFullRank() {
        return rank == FULL_RANK;
    }

    /** The examples of all clients at one, called {@code all}. */
    static ClientData pooled(List<ClientData> clients) {
        return new ClientData(
                "all",
                clients.stream().flatMap(client -> client.train().stream()).toList());
    }
}
