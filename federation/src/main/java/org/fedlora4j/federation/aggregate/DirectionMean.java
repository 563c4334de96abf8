package org.fedlora4j.federation.aggregate;

import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/** A mean of unit rows (or columns) that is itself made of unit rows: every vector by itself, on the sphere. */
public final class DirectionMean implements Aggregator {
    private final Matrix current;
    private final MagnitudeAxis axis;
    private final boolean karcher;
    private final WeightedSum sum;

    /** What the clients sent, for the Fréchet mean alone, which goes through it again and again. */
    private final List<Contribution> contributions = new ArrayList<>();

    private DirectionMean(Matrix current, MagnitudeAxis axis, boolean karcher) {
        this.current = current;
        this.axis = axis;
        this.karcher = karcher;
        this.sum = new WeightedSum(current);
    }

    /**
     * {@link Sphere#mean} of every vector.
     *
     * @param current the server's value, before this round
     */
    public static DirectionMean arithmetic(Matrix current, MagnitudeAxis axis) {
        return new DirectionMean(current, axis, false);
    }

    /**
     * {@link Sphere#karcher} of every vector.
     *
     * @param current the server's value, before this round
     */
    public static DirectionMean karcher(Matrix current, MagnitudeAxis axis) {
        return new DirectionMean(current, axis, true);
    }

    @Override
    public void add(double weight, Matrix value) {
        sum.add(weight, value);
        if (karcher) {
            contributions.add(new Contribution(weight, value));
        }
    }

    @Override
    public Matrix aggregate() {
        Matrix result = Matrix.zeros(current.rows(), current.columns());
        double[] weights =
                contributions.stream().mapToDouble(Contribution::weight).toArray();
        for (int n = 0; n < Vectors.count(current, axis); n++) {
            double[] old = Vectors.get(current, n, axis);
            double[] mean =
                    karcher ? Sphere.karcher(points(n), weights, old) : Sphere.direction(sum.vector(n, axis), old);
            Vectors.set(result, n, mean, axis);
        }
        return result;
    }

    @Override
    public double[] resultants() {
        double[] resultants = new double[Vectors.count(current, axis)];
        for (int n = 0; n < resultants.length; n++) {
            resultants[n] = Vectors.norm(sum.vector(n, axis));
        }
        return resultants;
    }

    private List<double[]> points(int n) {
        return contributions.stream()
                .map(contribution -> Vectors.get(contribution.value(), n, axis))
                .toList();
    }
}
