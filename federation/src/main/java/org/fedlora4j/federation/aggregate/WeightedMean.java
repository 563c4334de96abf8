package org.fedlora4j.federation.aggregate;

import java.util.List;
import org.fedlora4j.lora.Matrix;

/** {@code sum_k w_k x_k} with weights that sum to 1: federated averaging (arXiv 1602.05629). */
public final class WeightedMean implements Aggregator {
    @Override
    public Matrix aggregate(Matrix current, List<Contribution> contributions) {
        double[] weights = Aggregator.weights(contributions);
        double[] sum = new double[current.values().length];
        for (int k = 0; k < weights.length; k++) {
            float[] values = contributions.get(k).value().values();
            for (int i = 0; i < sum.length; i++) {
                sum[i] += weights[k] * values[i];
            }
        }
        Matrix mean = Matrix.zeros(current.rows(), current.columns());
        for (int i = 0; i < sum.length; i++) {
            mean.values()[i] = (float) sum[i];
        }
        return mean;
    }
}
