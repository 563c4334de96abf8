package org.fedlora4j.federation.aggregate;

import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/** The rows or the columns of a matrix as double vectors, for mathematics along one axis. */
public final class Vectors {
    private Vectors() {}

    /** How many vectors the matrix has along the axis. */
    public static int count(Matrix matrix, MagnitudeAxis axis) {
        return axis == MagnitudeAxis.ROW ? matrix.rows() : matrix.columns();
    }

    /** A copy of the n-th vector. */
    public static double[] get(Matrix matrix, int n, MagnitudeAxis axis) {
        double[] vector = new double[axis == MagnitudeAxis.ROW ? matrix.columns() : matrix.rows()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = axis == MagnitudeAxis.ROW ? matrix.get(n, i) : matrix.get(i, n);
        }
        return vector;
    }

    /** Writes the n-th vector, rounded to float. */
    public static void set(Matrix matrix, int n, double[] vector, MagnitudeAxis axis) {
        for (int i = 0; i < vector.length; i++) {
            int index = axis == MagnitudeAxis.ROW ? n * matrix.columns() + i : i * matrix.columns() + n;
            matrix.values()[index] = (float) vector[i];
        }
    }
}
