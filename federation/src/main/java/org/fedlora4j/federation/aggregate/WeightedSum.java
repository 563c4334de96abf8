package org.fedlora4j.federation.aggregate;

import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/** {@code sum_k w_k x_k}, in double. */
final class WeightedSum {
    private final int rows;
    private final int columns;

    /** [rows * columns], row-major. */
    private final double[] sum;

    /** Nothing yet, of a shape. */
    WeightedSum(Matrix like) {
        this.rows = like.rows();
        this.columns = like.columns();
        this.sum = new double[like.values().length];
    }

    void add(double weight, Matrix value) {
        float[] values = value.values();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += weight * values[i];
        }
    }

    /** The sum, rounded to float. */
    Matrix rounded() {
        Matrix result = Matrix.zeros(rows, columns);
        for (int i = 0; i < sum.length; i++) {
            result.values()[i] = (float) sum[i];
        }
        return result;
    }

    /** The n-th row or column. */
    double[] vector(int n, MagnitudeAxis axis) {
        double[] vector = new double[axis == MagnitudeAxis.ROW ? columns : rows];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = sum[axis == MagnitudeAxis.ROW ? n * columns + i : i * columns + n];
        }
        return vector;
    }
}
