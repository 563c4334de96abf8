package org.fedlora4j.federation;

import java.util.Collection;
import java.util.function.ToDoubleFunction;
import org.fedlora4j.federation.aggregate.Sphere;
import org.fedlora4j.federation.aggregate.Vectors;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/**
 * How far training moved the magnitudes and the directions of a matrix, as in FedLoRA-Optimizer's analysis (arXiv
 * 2510.11274); means over its rows or columns x_n, x'_n after:
 *
 * <pre>
 *   magnitude          mean | |x'_n| - |x_n| |
 *   relativeMagnitude  mean | |x'_n| - |x_n| | / |x_n|
 *   direction          mean (1 - cos(x'_n, x_n))
 * </pre>
 *
 * Vectors that are zero before or after have no direction and are left out.
 *
 * @param vectors how many vectors the means are over
 */
public record Sensitivity(double magnitude, double relativeMagnitude, double direction, int vectors) {

    /** Of one matrix. With no vector to compare the means are 0. */
    public static Sensitivity between(Matrix before, Matrix after, MagnitudeAxis axis) {
        if (!before.sameShape(after)) {
            throw new IllegalArgumentException("shapes differ: " + before.shape() + " and " + after.shape());
        }
        double[][] from = new double[Vectors.count(before, axis)][];
        double[][] to = new double[from.length][];
        for (int n = 0; n < from.length; n++) {
            from[n] = Vectors.get(before, n, axis);
            to[n] = Vectors.get(after, n, axis);
        }
        return between(from, to);
    }

    /** Of vectors one by one. */
    static Sensitivity between(double[][] before, double[][] after) {
        double magnitude = 0;
        double relative = 0;
        double direction = 0;
        int vectors = 0;
        for (int n = 0; n < before.length; n++) {
            double from = length(before[n]);
            double to = length(after[n]);
            if (from == 0 || to == 0) {
                continue;
            }
            double angle = Sphere.angle(unit(before[n], from), unit(after[n], to));
            magnitude += Math.abs(to - from);
            relative += Math.abs(to - from) / from;
            // 1 - cos without its cancellation at small angles
            direction += 2 * Math.pow(Math.sin(angle / 2), 2);
            vectors++;
        }
        int n = Math.max(vectors, 1);
        return new Sensitivity(magnitude / n, relative / n, direction / n, vectors);
    }

    /** The same means over the vectors of several matrices together. */
    public static Sensitivity over(Collection<Sensitivity> matrices) {
        int vectors = matrices.stream().mapToInt(Sensitivity::vectors).sum();
        return new Sensitivity(
                mean(matrices, Sensitivity::magnitude, vectors),
                mean(matrices, Sensitivity::relativeMagnitude, vectors),
                mean(matrices, Sensitivity::direction, vectors),
                vectors);
    }

    private static double mean(Collection<Sensitivity> matrices, ToDoubleFunction<Sensitivity> field, int vectors) {
        double sum = matrices.stream()
                .mapToDouble(matrix -> field.applyAsDouble(matrix) * matrix.vectors())
                .sum();
        return sum / Math.max(vectors, 1);
    }

    private static double length(double[] vector) {
        double squares = 0;
        for (double value : vector) {
            squares += value * value;
        }
        return Math.sqrt(squares);
    }

    private static double[] unit(double[] vector, double length) {
        double[] unit = new double[vector.length];
        for (int i = 0; i < vector.length; i++) {
            unit[i] = vector[i] / length;
        }
        return unit;
    }
}
