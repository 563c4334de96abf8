package org.fedlora4j.federation;

import java.util.List;
import org.fedlora4j.common.BadInputException;

/**
 * What one client trains on.
 *
 * @param id unique within the federation
 * @param train not empty
 */
public record ClientData(String id, List<Example> train) {
    public ClientData {
        train = List.copyOf(train);
        if (id.isBlank()) {
            throw new BadInputException("a client's id: empty");
        }
        if (train.isEmpty()) {
            throw new BadInputException("client " + id + ": no training examples, wanted at least one");
        }
    }

    /** The examples of all clients at one, called {@code all}. */
    static ClientData pooled(List<ClientData> clients) {
        return new ClientData(
                "all",
                clients.stream().flatMap(client -> client.train().stream()).toList());
    }
}
