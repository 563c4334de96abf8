package org.fedlora4j.federation;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SortedMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.model.LanguageModel;
import org.jspecify.annotations.Nullable;

/**
 * A client that runs by itself and may be killed at any time. It saves what it keeps and what it sent after each phase, and
 * sends the same again, bit for bit, when it is asked for a phase again: its answer was lost, or the server went back to
 * its last saved state. If the server meanwhile went on from other shared parts, it trains again, from what it had kept
 * before that phase. It never trains a phase twice in a row.
 */
public final class ClientSession implements AutoCloseable {
    /** A server keeps two states and so goes back by one phase at most, which then starts from what was kept before it. */
    private static final int KEPT = 3;

    private final Client client;
    private final Trainers trainers;
    private final boolean closesTrainers;
    private final SortedMap<String, String> fingerprint;
    private final NumberedFolders states;

    /** The state that was read or saved last: mostly the next one needed. */
    private @Nullable ClientState current;

    /**
     * A client that goes on from what it saved, if it did.
     *
     * @param model stays the caller's; to be closed after the session
     * @param states where it saves; of this client in one run alone
     * @throws BadInputException if the state that it goes on from is damaged or another run's
     */
    public ClientSession(LanguageModel model, Federation.Settings settings, ClientData data, Path states)
            throws IOException {
        this(new Trainers(model, settings), true, data, states);
    }

    /**
     * A client that goes on from what it saved, if it did, on trainers that it shares with others.
     *
     * @param trainers stay the caller's
     * @param states where it saves; of this client in one run alone
     * @throws BadInputException if the state that it goes on from is damaged or another run's
     */
    public ClientSession(Trainers trainers, ClientData data, Path states) throws IOException {
        this(trainers, false, data, states);
    }

    private ClientSession(Trainers trainers, boolean closesTrainers, ClientData data, Path states) throws IOException {
        Federation.Settings settings = trainers.settings();
        settings.recipe().requireFederated();
        this.client = new Client(data, settings);
        this.trainers = trainers;
        this.closesTrainers = closesTrainers;
        this.fingerprint = Fingerprint.of(trainers.model().config(), settings, List.of(data));
        // Another precision gives other bits, and a client must send the same ones again.
        fingerprint.put("precision", trainers.model().settings().precision().toString());
        this.states = new NumberedFolders(states, KEPT);
        Map.Entry<Integer, Path> last = this.states.all().lastEntry();
        if (last != null) {
            state(last);
        }
    }

    /**
     * The update of a phase, trained now or before. It is saved when this returns.
     *
     * @param shared the global model
     * @throws BadInputException if the phase is so long ago that what the client kept before it is gone, or damaged
     */
    public SharedUpdate train(RoundContext context, SharedParts shared, RunListener listener) throws IOException {
        int stage = context.stage();
        String startsFrom = shared.digest();
        NavigableMap<Integer, Path> saved = states.all();
        Map.Entry<Integer, Path> same = saved.floorEntry(stage);
        if (same != null && same.getKey() == stage) {
            ClientState before = state(same);
            if (before.startedFrom().equals(startsFrom)) {
                return client.sent(context, shared, before.metrics(), before.sent());
            }
        }
        Map.Entry<Integer, Path> last = saved.lowerEntry(stage);
        if (last == null && !saved.isEmpty() && !state(saved.firstEntry()).first()) {
            throw new BadInputException(client.id() + ": asked for phase " + stage + " of the run, wanted one after "
                    + saved.firstKey() + ": what was kept before is gone");
        }
        client.restore(last == null ? PartValues.NONE : state(last).own());
        shared.requireSplits(context.phase());
        SharedUpdate update = client.train(context, shared, trainers.of(context.phase()), listener);
        states.deleteAfter(stage);
        ClientState trained = new ClientState(
                stage,
                last == null,
                startsFrom,
                fingerprint,
                update.metrics(),
                client.own().values(),
                update.values());
        states.save(stage, trained::write);
        current = trained;
        return update;
    }

    /** The client's own model: the global one with what the client keeps now. */
    public AdapterState model(SharedParts shared) throws IOException {
        Map.Entry<Integer, Path> last = states.all().lastEntry();
        client.restore(last == null ? PartValues.NONE : state(last).own());
        return client.model(shared);
    }

    /** A saved state, read from its folder unless it is the one at hand. */
    private ClientState state(Map.Entry<Integer, Path> saved) {
        ClientState atHand = current;
        if (atHand == null || atHand.stage() != saved.getKey()) {
            atHand = ClientState.read(saved.getValue());
            Fingerprint.requireSame(atHand.settings(), fingerprint);
            current = atHand;
        }
        return atHand;
    }

    @Override
    public void close() {
        if (closesTrainers) {
            trainers.close();
        }
    }
}
