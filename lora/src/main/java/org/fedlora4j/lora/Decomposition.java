package org.fedlora4j.lora;

import java.util.function.DoubleUnaryOperator;

/**
 * Splits a matrix into magnitude and direction, as in DoRA (arXiv 2402.09353) and FedLoRA-Optimizer (arXiv 2510.11274),
 * and puts it together again. For the row axis
 *
 * <pre>
 *   A = diag(m) Â      m_i = ||A_i||, Â_i = A_i / ||A_i||      m [rows, 1], Â [rows, columns]
 * </pre>
 *
 * and the same by columns for the column axis. A zero vector has magnitude 0 and direction 0. All functions are pure.
 */
public final class Decomposition {
    private Decomposition() {}

    /** Magnitude and unit directions of one matrix. */
    public record MagnitudeAndDirection(Matrix magnitude, Matrix direction) {}

    public static MagnitudeAndDirection decompose(Matrix matrix, MagnitudeAxis axis) {
        double[] norms = norms(matrix, axis);
        return new MagnitudeAndDirection(vector(norms, axis), scaled(matrix, norms, Decomposition::inverse, axis));
    }

    /** {@code diag(magnitude) · direction}, by columns for the column axis. */
    public static Matrix recompose(Matrix magnitude, Matrix direction, MagnitudeAxis axis) {
        requireMagnitudeOf(magnitude, direction, axis);
        return scaled(direction, doubles(magnitude), m -> m, axis);
    }

    /** The unit directions of a free matrix: {@code D / ||D||}. */
    public static Matrix normalize(Matrix free, MagnitudeAxis axis) {
        return scaled(free, norms(free, axis), Decomposition::inverse, axis);
    }

    /** The gradient of the magnitudes, {@code dL/dm_i = <dL/dA_i, Â_i>}, of the magnitude's shape. */
    public static Matrix magnitudeGradient(Matrix gradient, Matrix direction, MagnitudeAxis axis) {
        return vector(dots(gradient, direction, axis), axis);
    }

    /**
     * The gradient of the free matrix D, with Â = D / ||D||: {@code dL/dD_i = m_i / ||D_i|| (g_i - <g_i, Â_i> Â_i)},
     * g = dL/dA. It is tangent to the sphere, and 0 where D is.
     */
    public static Matrix directionGradient(Matrix gradient, Matrix magnitude, Matrix free, MagnitudeAxis axis) {
        requireMagnitudeOf(magnitude, free, axis);
        double[] norms = norms(free, axis);
        double[] radial = dots(gradient, free, axis);
        float[] values = new float[free.values().length];
        for (int i = 0; i < values.length; i++) {
            int n = vectorOf(i, free, axis);
            double inverse = inverse(norms[n]);
            double tangent = gradient.values()[i] - radial[n] * inverse * inverse * free.values()[i];
            values[i] = (float) (magnitude.values()[n] * inverse * tangent);
        }
        return Matrix.of(free.rows(), free.columns(), values);
    }

    private static double[] norms(Matrix matrix, MagnitudeAxis axis) {
        double[] norms = dots(matrix, matrix, axis);
        for (int n = 0; n < norms.length; n++) {
            norms[n] = Math.sqrt(norms[n]);
        }
        return norms;
    }

    /** The inner products of the vectors of two matrices, along the axis. */
    private static double[] dots(Matrix left, Matrix right, MagnitudeAxis axis) {
        if (!left.sameShape(right)) {
            throw new IllegalArgumentException("shapes differ: " + left.shape() + " and " + right.shape());
        }
        double[] dots = new double[axis == MagnitudeAxis.ROW ? left.rows() : left.columns()];
        for (int i = 0; i < left.values().length; i++) {
            dots[vectorOf(i, left, axis)] += (double) left.values()[i] * right.values()[i];
        }
        return dots;
    }

    private static Matrix scaled(Matrix matrix, double[] by, DoubleUnaryOperator factor, MagnitudeAxis axis) {
        float[] values = new float[matrix.values().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (matrix.values()[i] * factor.applyAsDouble(by[vectorOf(i, matrix, axis)]));
        }
        return Matrix.of(matrix.rows(), matrix.columns(), values);
    }

    /** The index of the row or column that element {@code i} lies in. */
    private static int vectorOf(int i, Matrix matrix, MagnitudeAxis axis) {
        return axis == MagnitudeAxis.ROW ? i / matrix.columns() : i % matrix.columns();
    }

    private static double inverse(double norm) {
        return norm == 0 ? 0 : 1 / norm;
    }

    private static Matrix vector(double[] values, MagnitudeAxis axis) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return axis == MagnitudeAxis.ROW ? Matrix.of(floats.length, 1, floats) : Matrix.of(1, floats.length, floats);
    }

    private static double[] doubles(Matrix matrix) {
        double[] doubles = new double[matrix.values().length];
        for (int i = 0; i < doubles.length; i++) {
            doubles[i] = matrix.values()[i];
        }
        return doubles;
    }

    private static void requireMagnitudeOf(Matrix magnitude, Matrix direction, MagnitudeAxis axis) {
        int wantedRows = axis == MagnitudeAxis.ROW ? direction.rows() : 1;
        int wantedColumns = axis == MagnitudeAxis.ROW ? 1 : direction.columns();
        if (magnitude.rows() != wantedRows || magnitude.columns() != wantedColumns) {
            throw new IllegalArgumentException("magnitude: " + magnitude.shape() + ", a direction of "
                    + direction.shape() + " wants [" + wantedRows + ", " + wantedColumns + "]");
        }
    }
}
