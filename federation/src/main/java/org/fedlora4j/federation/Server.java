package org.fedlora4j.federation;

import java.io.IOException;
import java.util.Collections;
import java.util.LongSummaryStatistics;
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
    PhaseResult aggregate(RoundContext context, Updates updates) throws IOException {
        Phase phase = context.phase();
        if (updates.weights().isEmpty()) {
            throw new BadInputException(
                    context.label() + ", phase " + phase.name() + ": no client's update, wanted at least one");
        }
        PhaseAggregation aggregation = new PhaseAggregation(shared, phase, updates.weights());
        SortedMap<String, PhaseResult.Training> clients = new TreeMap<>();
        LongSummaryStatistics bytes = new LongSummaryStatistics();
        updates.forEach(update -> {
            if (update.round() != context.roundsBefore()) {
                throw new BadInputException("update of client " + update.clientId() + ": round " + update.round()
                        + ", wanted " + context.roundsBefore());
            }
            aggregation.add(update);
            clients.put(update.clientId(), PhaseResult.Training.of(update));
            bytes.accept(update.bytes());
        });
        ServerOptimizer optimizer =
                new ServerOptimizer(phase.server(), optimizers.getOrDefault(phase.name(), NO_MEANS));
        PhaseAggregation.Result result = aggregation.result(optimizer);
        if (!optimizer.state().isEmpty()) {
            optimizers.put(phase.name(), optimizer.state());
        }
        shared = result.shared();
        // What a client is sent in return has the size of what it sent.
        long each = Math.round(bytes.getAverage());
        return new PhaseResult(phase.name(), clients, new TreeMap<>(result.drift()), each, each);
    }
}
