package org.fedlora4j.federation.aggregate;

import org.fedlora4j.lora.Matrix;

/** {@code sum_k w_k x_k} with weights that sum to 1: federated averaging (arXiv 1602.05629). */
public final class WeightedMean implements Aggregator {
    private final WeightedSum sum;

    /** @param current the server's value, for its shape */
    public WeightedMean(Matrix current) {
        this.sum = new WeightedSum(current);
    }

    @Override
    public void add(double weight, Matrix value) {
        sum.add(weight, value);
    }

    @Override
    public Matrix aggregate() {
        return sum.rounded();
    }
}
