package org.fedlora4j.federation;

import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.optimizer.ServerSettings;
import org.fedlora4j.lora.LearningRateSchedule;
import org.fedlora4j.lora.Part;

/**
 * One stage of a round: what every client trains, how long, what of it the clients send and what the server does with
 * it.
 *
 * @param name unique within the recipe
 * @param train what is trained; not empty
 * @param share what of it is sent; empty where the phase is personal
 * @param steps optimizer steps of each client
 * @param learningRate of AdamW, at the first step
 * @param schedule how the learning rate goes on over all steps that the phase has in a run, its rounds together
 * @param weightDecay of AdamW
 * @param proximal the strength of the pull of what is trained toward its shared value, see {@link
 *     org.fedlora4j.lora.Trainer#pullTowards}; 0 for none
 * @param aggregation {@link Aggregation#SPHERE_MEAN} or {@link Aggregation#KARCHER} exactly where a direction is shared;
 *     {@link Aggregation#PRODUCT_SVD} only where A and B are, and without a server optimizer
 * @param server how the server moves to the aggregate
 */
public record Phase(
        String name,
        Set<Part> train,
        Set<Part> share,
        int steps,
        double learningRate,
        LearningRateSchedule schedule,
        double weightDecay,
        double proximal,
        Aggregation aggregation,
        ServerSettings server) {
    public Phase {
        require(!name.isBlank(), "name: empty");
        train = sorted(train);
        share = sorted(share);
        require(!train.isEmpty(), "train: empty, wanted at least one part");
        for (Part part : train) {
            for (Part other : train) {
                require(
                        part == other || !part.overlaps(other),
                        "train: " + part + " and " + other + ", wanted a matrix or parts of it");
            }
        }
        require(train.containsAll(share), "share: " + share + ", wanted only what is trained: " + train);
        require(steps >= 1, "steps: " + steps + ", wanted at least 1");
        require(
                learningRate > 0 && Double.isFinite(learningRate),
                "learning-rate: " + learningRate + ", wanted a number above 0");
        require(
                weightDecay >= 0 && Double.isFinite(weightDecay),
                "weight-decay: " + weightDecay + ", wanted a number of at least 0");
        require(
                proximal >= 0 && Double.isFinite(proximal),
                "proximal: " + proximal + ", wanted a number of at least 0");
        requireAggregation(share, aggregation, server);
        require(
                !share.isEmpty() || server.equals(ServerSettings.AGGREGATE),
                "server: only a phase that shares something has one");
    }

    /** What is trained and stays with the client. */
    public Set<Part> keep() {
        Set<Part> keep = new TreeSet<>(train);
        keep.removeAll(share);
        return Collections.unmodifiableSet(keep);
    }

    private static void requireAggregation(Set<Part> share, Aggregation aggregation, ServerSettings server) {
        if (aggregation == Aggregation.PRODUCT_SVD) {
            require(
                    share.equals(Set.of(Part.A, Part.B)),
                    "aggregator: product-svd, wanted mean or another, for what is shared is " + share
                            + " and not [A, B]");
            require(
                    server.equals(ServerSettings.AGGREGATE),
                    "server: " + server + ", wanted no optimizer and step 1.0 with product-svd");
            return;
        }
        boolean directions = share.stream().anyMatch(Part::isDirection);
        require(
                directions != (aggregation == Aggregation.MEAN),
                directions
                        ? "aggregator: mean, wanted sphere-mean or karcher, for a direction is shared"
                        : "aggregator: only a phase that shares a direction has sphere-mean or karcher");
    }

    /** The same with another number of steps. */
    public Phase withSteps(int number) {
        return new Phase(
                name, train, share, number, learningRate, schedule, weightDecay, proximal, aggregation, server);
    }

    private static Set<Part> sorted(Set<Part> parts) {
        return Collections.unmodifiableSet(new TreeSet<>(parts));
    }

    private static void require(boolean condition, String problem) {
        if (!condition) {
            throw new BadInputException(problem);
        }
    }
}
