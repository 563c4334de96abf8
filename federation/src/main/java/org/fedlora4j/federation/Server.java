package org.fedlora4j.federation;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.optimizer.ServerOptimizer;
import org.fedlora4j.lora.Matrix;

/** Holds the global model and moves it to what the clients' updates say. */
final class Server {
    private static final SortedMap<String, Matrix> NO_MEANS = Collections.emptySortedMap();

    private SharedParts shared;

    /** Running means by phase and tensor: phases move different parts, or the same at different paces. */
    private final SortedMap<String, SortedMap<String, Matrix>> optimizers;

    /** @param optimizers running means by phase and tensor; a phase that is not there begins without */
    Server(SharedParts shared, SortedMap<String, SortedMap<String, Matrix>> optimizers) {
        this.shared = shared;
        this.optimizers = new TreeMap<>(optimizers);
    }

    SharedParts shared() {
        return shared;
    }

    /** The running means of the server optimizers, by phase and tensor; of those that have any. */
    SortedMap<String, SortedMap<String, Matrix>> optimizers() {
        return optimizers;
    }

    /**
     * Refuses updates of another round, aggregates the others and takes the server optimizer's step.
     *
     * @param updates of at least one client; those that are missing count for nothing
     */
    PhaseResult aggregate(RoundContext context, List<SharedUpdate> updates) {
        Phase phase = context.phase();
        if (updates.isEmpty()) {
            throw new BadInputException(
                    context.label() + ", phase " + phase.name() + ": no client's update, wanted at least one");
        }
        SortedMap<String, PhaseResult.Training> clients = new TreeMap<>();
        for (SharedUpdate update : updates) {
            if (update.round() != context.roundsBefore()) {
                throw new BadInputException("update of client " + update.clientId() + ": round " + update.round()
                        + ", wanted " + context.roundsBefore());
            }
            clients.put(update.clientId(), PhaseResult.Training.of(update));
        }
        ServerOptimizer optimizer =
                new ServerOptimizer(phase.server(), optimizers.getOrDefault(phase.name(), NO_MEANS));
        PhaseAggregation aggregation = PhaseAggregation.of(shared, phase, updates, optimizer);
        if (!optimizer.state().isEmpty()) {
            optimizers.put(phase.name(), optimizer.state());
        }
        shared = aggregation.shared();
        // What a client is sent in return has the size of what it sent.
        long bytes = Math.round(
                updates.stream().mapToLong(SharedUpdate::bytes).average().orElseThrow());
        return new PhaseResult(phase.name(), clients, new TreeMap<>(aggregation.drift()), bytes, bytes);
    }
}
