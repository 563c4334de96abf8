package org.fedlora4j.federation.aggregate;

import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/** A mean of unit rows (or columns) that is itself made of unit rows: every vector by itself, on the sphere. */
public final class DirectionMean implements Aggregator {
    private final VectorMean mean;
    private final MagnitudeAxis axis;

    @FunctionalInterface
    private interface VectorMean {
        double[] of(List<double[]> points, double[] weights, double[] old);
    }

    private DirectionMean(VectorMean mean, MagnitudeAxis axis) {
        this.mean = mean;
        this.axis = axis;
    }

    /** {@link Sphere#mean} of every vector. */
    public static DirectionMean arithmetic(MagnitudeAxis axis) {
        return new DirectionMean(Sphere::mean, axis);
    }

    /** {@link Sphere#karcher} of every vector. */
    public static DirectionMean karcher(MagnitudeAxis axis) {
        return new DirectionMean(Sphere::karcher, axis);
    }

    @Override
    public Matrix aggregate(Matrix current, List<Contribution> contributions) {
        double[] weights = Aggregator.weights(contributions);
        Matrix result = Matrix.zeros(current.rows(), current.columns());
        for (int n = 0; n < Vectors.count(current, axis); n++) {
            double[] old = Vectors.get(current, n, axis);
            Vectors.set(result, n, mean.of(points(contributions, n, axis), weights, old), axis);
        }
        return result;
    }

    /** The mean resultant length of every vector (see {@link Sphere#resultant}). */
    public static double[] resultants(List<Contribution> contributions, MagnitudeAxis axis) {
        double[] weights = Aggregator.weights(contributions);
        double[] resultants = new double[Vectors.count(contributions.get(0).value(), axis)];
        for (int n = 0; n < resultants.length; n++) {
            resultants[n] = Sphere.resultant(points(contributions, n, axis), weights);
        }
        return resultants;
    }

    private static List<double[]> points(List<Contribution> contributions, int n, MagnitudeAxis axis) {
        List<double[]> points = new ArrayList<>();
        for (Contribution contribution : contributions) {
            points.add(Vectors.get(contribution.value(), n, axis));
        }
        return points;
    }
}
