package org.fedlora4j.federation.aggregate;

import java.util.List;
import org.fedlora4j.lora.Matrix;

/** Makes one value of what the clients sent for one tensor. Sums are taken in double, in the order of the list. */
@FunctionalInterface
public interface Aggregator {
    /**
     * The new value.
     *
     * @param current the server's value, before this round
     * @param contributions of current's shape, at least one, in client-id order
     * @return of current's shape
     */
    Matrix aggregate(Matrix current, List<Contribution> contributions);

    /** The weights of the contributions divided by their sum. */
    static double[] weights(List<Contribution> contributions) {
        if (contributions.isEmpty()) {
            throw new IllegalArgumentException("nothing to aggregate");
        }
        double sum = contributions.stream().mapToDouble(Contribution::weight).sum();
        return contributions.stream()
                .mapToDouble(contribution -> contribution.weight() / sum)
                .toArray();
    }
}
