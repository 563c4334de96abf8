package org.fedlora4j.federation;

import java.io.IOException;
import java.util.SortedMap;
import java.util.SortedSet;
import org.fedlora4j.lora.AdapterState;

/**
 * Where the clients of a federation run: in this process, on other machines, on a cluster. The rounds' logic is the same
 * for all, and so is the result, to the last bit.
 */
public interface Engine extends AutoCloseable {
    /** All clients, in order of id; those of a round are drawn from them. Stays the same for a run. */
    SortedSet<String> clientIds();

    /** What the run is made of, as texts by name: a saved state goes on only under the same, see {@link Fingerprint}. */
    SortedMap<String, String> fingerprint();

    /**
     * Steps (1) to (3) of a phase: sends the shared parts, has clients train, and gives their updates.
     *
     * @param shared the global model, which can be split as the phase needs it
     * @param clients of the round
     * @param listener is told of steps, as far as the engine hears of them, and of each update
     * @return at least one update of those clients; an engine may go on without clients that are lost
     */
    Updates train(RoundContext context, SharedParts shared, SortedSet<String> clients, RunListener listener)
            throws IOException;

    /** What each client keeps to itself, for the saved state; without those that keep nothing, or keep it elsewhere. */
    SortedMap<String, PartValues> privateParts();

    /** Goes on from {@link #privateParts} of an earlier run. */
    void restore(SortedMap<String, PartValues> privateParts);

    /**
     * A client's own model: the global one, cut to the client's rank, with its private parts.
     *
     * @throws UnsupportedOperationException if clients keep their models to themselves
     */
    default AdapterState personal(String clientId, SharedParts shared) {
        throw new UnsupportedOperationException("the model of client " + clientId + " is where it runs");
    }

    /**
     * The model of a client that was not in training, see {@link Federation#personalised}.
     *
     * @throws UnsupportedOperationException if the engine has no model to train
     */
    default AdapterState personalised(ClientData newcomer, SharedParts shared, RunListener listener) {
        throw new UnsupportedOperationException("client " + newcomer.id() + " personalises where it runs");
    }

    @Override
    void close();
}
