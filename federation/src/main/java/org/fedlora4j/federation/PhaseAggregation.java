package org.fedlora4j.federation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.aggregate.Aggregator;
import org.fedlora4j.federation.aggregate.Contribution;
import org.fedlora4j.federation.aggregate.DirectionMean;
import org.fedlora4j.federation.aggregate.ProductSvd;
import org.fedlora4j.federation.optimizer.ServerOptimizer;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/**
 * What the server does at the end of a phase: tensor by tensor, the clients' values are aggregated and the server
 * optimizer moves the shared value to the aggregate. With {@link Aggregation#PRODUCT_SVD} A and B of a module are aggregated
 * together.
 *
 * @param shared the new global model
 * @param drift the mean resultant length by direction part, averaged over all vectors: 1 where the clients agree, less
 *     the further they drift apart; empty where no direction is shared
 */
public record PhaseAggregation(SharedParts shared, Map<Part, Double> drift) {

    /**
     * Takes the updates in client-id order, so that the result has the same bits in whatever order they arrived.
     *
     * @param optimizer the phase's own; its state moves
     */
    public static PhaseAggregation of(
            SharedParts shared, Phase phase, List<SharedUpdate> updates, ServerOptimizer optimizer) {
        List<SharedUpdate> ordered = updates.stream()
                .sorted(Comparator.comparing(SharedUpdate::clientId))
                .toList();
        requireOneEach(phase, ordered);
        if (phase.aggregation() == Aggregation.PRODUCT_SVD) {
            return new PhaseAggregation(products(shared, ordered), Map.of());
        }
        Map<Part, List<Double>> resultants = new TreeMap<>();
        PartValues values = shared.values(phase.share()).map((place, current) -> {
            List<Contribution> contributions = contributions(ordered, place.part(), place.module());
            Aggregator aggregator = phase.aggregation().aggregatorOf(place.part(), shared.axis());
            Matrix aggregate = aggregator.aggregate(current, contributions);
            if (!place.part().isDirection()) {
                return optimizer.step(place.name(), current, aggregate);
            }
            List<Double> lengths = resultants.computeIfAbsent(place.part(), part -> new ArrayList<>());
            for (double length : DirectionMean.resultants(contributions, shared.axis())) {
                lengths.add(length);
            }
            return optimizer.stepOnSphere(place.name(), current, aggregate, shared.axis());
        });
        Map<Part, Double> drift = new TreeMap<>();
        resultants.forEach((part, lengths) -> drift.put(
                part,
                lengths.stream().mapToDouble(Double::doubleValue).average().orElseThrow()));
        return new PhaseAggregation(shared.with(values), drift);
    }

    private static SharedParts products(SharedParts shared, List<SharedUpdate> updates) {
        SortedMap<String, LoraPair> means = new TreeMap<>();
        shared.adapter()
                .modules()
                .forEach((module, current) -> means.put(
                        module,
                        ProductSvd.mean(
                                current,
                                contributions(updates, Part.A, module),
                                contributions(updates, Part.B, module))));
        return new SharedParts(new AdapterState(shared.adapter().config(), means), shared.axis());
    }

    private static List<Contribution> contributions(List<SharedUpdate> updates, Part part, String module) {
        return updates.stream()
                .map(update -> new Contribution(update.weight(), update.values().of(part, module)))
                .toList();
    }

    private static void requireOneEach(Phase phase, List<SharedUpdate> updates) {
        Set<String> clients = new HashSet<>();
        for (SharedUpdate update : updates) {
            if (!update.phase().equals(phase.name())) {
                throw new BadInputException("update of client " + update.clientId() + ": phase " + update.phase()
                        + ", wanted " + phase.name());
            }
            if (!clients.add(update.clientId())) {
                throw new BadInputException("two updates of client " + update.clientId() + " in phase " + phase.name());
            }
        }
    }
}
