package org.fedlora4j.benchmark;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.lora.AdapterState;

/** Scores a federation's models on the tests of clients. */
final class ModelScores {
    private final Evaluator evaluator;
    private final List<ClientRecords> clients;
    private final boolean personal;
    private final Optional<Result.Scores> sameBase;

    /**
     * @param personal whether clients have models of their own, and not only the global one
     * @param sameBase what another run came to on the same tests; its scores of the base model are taken
     */
    ModelScores(Evaluator evaluator, List<ClientRecords> clients, boolean personal, Optional<Result.Scores> sameBase) {
        this.evaluator = evaluator;
        this.clients = clients;
        this.personal = personal;
        this.sameBase = sameBase;
    }

    /** The model without adapter on each client's tests, by client id. */
    SortedMap<String, Metrics> base(boolean generate) {
        return sameBase.map(Result.Scores::baseByClient)
                .orElseGet(() -> byClient(client -> evaluator.evaluateBase(
                        client.test(), generate, "evaluating the base model on " + client.id())));
    }

    /** The global model on each client's tests. */
    SortedMap<String, Metrics> global(Federation federation, boolean generate) {
        return byClient(client -> evaluator.evaluate(
                federation.global(), client.test(), generate, "evaluating the global model on " + client.id()));
    }

    /**
     * Each client's own model on its own tests.
     *
     * @param own each client's own model, by its id
     * @param global the scores of the global model, which is also everybody's own where the recipe keeps nothing private,
     *     or nothing yet
     */
    SortedMap<String, Metrics> local(
            Federation federation,
            Function<String, AdapterState> own,
            SortedMap<String, Metrics> global,
            boolean generate) {
        if (!personal) {
            return global;
        }
        return byClient(client -> {
            AdapterState adapter = own.apply(client.id());
            return adapter.equals(federation.global())
                    ? Objects.requireNonNull(global.get(client.id()))
                    : evaluator.evaluate(
                            adapter, client.test(), generate, "evaluating the local model of " + client.id());
        });
    }

    private SortedMap<String, Metrics> byClient(Function<ClientRecords, Metrics> evaluation) {
        SortedMap<String, Metrics> scores = new TreeMap<>();
        clients.forEach(client -> scores.put(client.id(), evaluation.apply(client)));
        return scores;
    }
}
