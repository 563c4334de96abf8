package org.fedlora4j.federation.aggregate;

import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/** The rows or the columns of a matrix as double vectors, for mathematics along one axis, and that of vectors. */
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

    static double dot(double[] left, double[] right) {
        double sum = 0;
        for (int i = 0; i < left.length; i++) {
            sum += left[i] * right[i];
        }
        return sum;
    }

    static double norm(double[] vector) {
        return Math.sqrt(dot(vector, vector));
    }

    static double[] scaled(double[] vector, double factor) {
        double[] scaled = new double[vector.length];
        addScaled(scaled, factor, vector);
        return scaled;
    }

    /** {@code sum += factor · vector}. */
    static void addScaled(double[] sum, double factor, double[] vector) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += factor * vector[i];
        }
    }
}
