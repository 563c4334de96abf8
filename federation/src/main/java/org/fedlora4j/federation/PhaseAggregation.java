package org.fedlora4j.federation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.aggregate.Aggregator;
import org.fedlora4j.federation.aggregate.Contribution;
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
 * <p>Updates are added one by one, in client-id order, so that the result has the same bits in whatever order they arrived.
 * Means keep a sum, and of the updates nothing; {@link Aggregation#KARCHER} and {@link Aggregation#PRODUCT_SVD} keep all.
 */
public final class PhaseAggregation {
    private final SharedParts shared;
    private final Phase phase;
    private final PartValues current;
    private final double totalWeight;
    private final Iterator<Map.Entry<String, Long>> expected;
    private final Map<PartValues.Place, Aggregator> aggregators = new HashMap<>();

    /** Of updates whose products are aggregated, all that were added. */
    private final List<SharedUpdate> products = new ArrayList<>();

    /**
     * What an aggregation came to.
     *
     * @param shared the new global model
     * @param drift the mean resultant length by direction part, averaged over all vectors: 1 where the clients agree, less
     *     the further they drift apart; empty where no direction is shared
     */
    public record Result(SharedParts shared, Map<Part, Double> drift) {}

    /**
     * An aggregation of no update yet.
     *
     * @param weights of the updates to come, by client id
     */
    public PhaseAggregation(SharedParts shared, Phase phase, SortedMap<String, Long> weights) {
        this.shared = shared;
        this.phase = phase;
        this.current = shared.values(phase.share());
        this.totalWeight =
                weights.values().stream().mapToDouble(Long::doubleValue).sum();
        this.expected = weights.entrySet().iterator();
        if (!isOfProducts()) {
            current.forEach((place, value) ->
                    aggregators.put(place, phase.aggregation().aggregatorOf(place.part(), value, shared.axis())));
        }
    }

    /** Adds the update of the next client. */
    public void add(SharedUpdate update) {
        if (!update.phase().equals(phase.name())) {
            throw new BadInputException(
                    "update of client " + update.clientId() + ": phase " + update.phase() + ", wanted " + phase.name());
        }
        String found = update.clientId() + " of weight " + update.weight();
        String wanted = next();
        if (!found.equals(wanted)) {
            throw new IllegalArgumentException("the update of client " + found + ", wanted that of " + wanted);
        }
        if (isOfProducts()) {
            products.add(update);
            return;
        }
        double weight = update.weight() / totalWeight;
        aggregators.forEach(
                (place, aggregator) -> aggregator.add(weight, update.values().of(place.part(), place.module())));
    }

    /**
     * The aggregate of all updates.
     *
     * @param optimizer the phase's own; its state moves
     */
    public Result result(ServerOptimizer optimizer) {
        if (expected.hasNext()) {
            throw new IllegalStateException("no update of client " + next());
        }
        if (isOfProducts()) {
            return new Result(productMeans(), Map.of());
        }
        Map<Part, List<Double>> resultants = new TreeMap<>();
        PartValues values = current.map((place, value) -> {
            Aggregator aggregator = Objects.requireNonNull(aggregators.get(place));
            Matrix aggregate = aggregator.aggregate();
            if (!place.part().isDirection()) {
                return optimizer.step(place.name(), value, aggregate);
            }
            List<Double> lengths = resultants.computeIfAbsent(place.part(), part -> new ArrayList<>());
            for (double length : aggregator.resultants()) {
                lengths.add(length);
            }
            return optimizer.stepOnSphere(place.name(), value, aggregate, shared.axis());
        });
        Map<Part, Double> drift = new TreeMap<>();
        resultants.forEach((part, lengths) -> drift.put(
                part,
                lengths.stream().mapToDouble(Double::doubleValue).average().orElseThrow()));
        return new Result(shared.with(values), drift);
    }

    private boolean isOfProducts() {
        return phase.aggregation() == Aggregation.PRODUCT_SVD;
    }

    /** Whose update comes next, and what it weighs. */
    private String next() {
        if (!expected.hasNext()) {
            return "nobody";
        }
        Map.Entry<String, Long> client = expected.next();
        return client.getKey() + " of weight " + client.getValue();
    }

    private SharedParts productMeans() {
        SortedMap<String, LoraPair> means = new TreeMap<>();
        shared.adapter()
                .modules()
                .forEach((module, pair) -> means.put(
                        module, ProductSvd.mean(pair, contributions(Part.A, module), contributions(Part.B, module))));
        return new SharedParts(new AdapterState(shared.adapter().config(), means), shared.axis());
    }

    private List<Contribution> contributions(Part part, String module) {
        return products.stream()
                .map(update -> new Contribution(update.weight(), update.values().of(part, module)))
                .toList();
    }
}
