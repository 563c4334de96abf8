package org.fedlora4j.federation.aggregate;

import java.util.List;

/**
 * The unit sphere in R^n: its exponential and logarithm maps and two means. Points are unit vectors; a tangent vector
 * at p is orthogonal to p and as long as the arc it stands for. Formulas as in Karcher, Riemannian center of mass
 * (1977), and Mardia and Jupp, Directional Statistics (2000), section 9.2.
 */
public final class Sphere {
    /** Below this length a weighted sum of unit vectors has no direction that means anything. */
    public static final double SMALLEST_RESULTANT = 1e-6;

    private static final double CONVERGED = 1e-13;
    private static final int MOST_ITERATIONS = 1000;

    private Sphere() {}

    /** The angle between two unit vectors, {@code 2 atan2(|p - q|, |p + q|)}: exact for small and large angles. */
    public static double angle(double[] p, double[] q) {
        double difference = 0;
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            difference += (p[i] - q[i]) * (p[i] - q[i]);
            sum += (p[i] + q[i]) * (p[i] + q[i]);
        }
        return 2 * Math.atan2(Math.sqrt(difference), Math.sqrt(sum));
    }

    /** The tangent vector at p that leads to q: {@code angle · (q - p<p,q>) / |q - p<p,q>|}; 0 where q = p. */
    public static double[] log(double[] p, double[] q) {
        // From q - p and not from q itself: nothing is lost to cancellation when the two are close.
        double[] chord = new double[p.length];
        for (int i = 0; i < p.length; i++) {
            chord[i] = q[i] - p[i];
        }
        double[] tangent = project(p, chord);
        double length = Vectors.norm(tangent);
        return length == 0 ? tangent : Vectors.scaled(tangent, angle(p, q) / length);
    }

    /** The point reached from p along a tangent vector: {@code cos|v| p + sin|v| v/|v|}; p where v = 0. */
    public static double[] exp(double[] p, double[] v) {
        double length = Vectors.norm(v);
        if (length == 0) {
            return p.clone();
        }
        double cosine = Math.cos(length);
        double sine = Math.sin(length) / length;
        double[] point = new double[p.length];
        for (int i = 0; i < p.length; i++) {
            point[i] = cosine * p[i] + sine * v[i];
        }
        return point;
    }

    /** The part of v that is tangent at p: {@code v - <v,p> p}. */
    public static double[] project(double[] p, double[] v) {
        double radial = Vectors.dot(p, v);
        double[] tangent = new double[p.length];
        for (int i = 0; i < p.length; i++) {
            tangent[i] = v[i] - radial * p[i];
        }
        return tangent;
    }

    /**
     * The mean resultant length {@code R = |sum_k w_k p_k|}: 1 when all points agree, less the further they drift
     * apart.
     *
     * @param weights of the points, summing to 1
     */
    public static double resultant(List<double[]> points, double[] weights) {
        return Vectors.norm(weightedSum(points, weights));
    }

    /**
     * The direction of the weighted sum, {@code m / |m|} with {@code m = sum_k w_k p_k}.
     *
     * @param old what to return where |m| is below {@link #SMALLEST_RESULTANT}
     */
    public static double[] mean(List<double[]> points, double[] weights, double[] old) {
        return direction(weightedSum(points, weights), old);
    }

    /**
     * The direction of a weighted sum of points.
     *
     * @param old what to return where the sum's length is below {@link #SMALLEST_RESULTANT}
     */
    public static double[] direction(double[] sum, double[] old) {
        double resultant = Vectors.norm(sum);
        return resultant < SMALLEST_RESULTANT ? old.clone() : Vectors.scaled(sum, 1 / resultant);
    }

    /**
     * The Fréchet mean, which minimises {@code sum_k w_k angle(x, p_k)²}: from {@link #mean}, {@code x <-
     * exp_x(sum_k w_k log_x(p_k))} until the step is below 1e-13. Unique where the points lie within a half sphere.
     */
    public static double[] karcher(List<double[]> points, double[] weights, double[] old) {
        if (resultant(points, weights) < SMALLEST_RESULTANT) {
            return old.clone();
        }
        double[] mean = mean(points, weights, old);
        for (int iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
            double[] at = mean;
            double[] step =
                    weightedSum(points.stream().map(point -> log(at, point)).toList(), weights);
            double[] next = exp(mean, step);
            mean = Vectors.scaled(next, 1 / Vectors.norm(next));
            if (Vectors.norm(step) < CONVERGED) {
                break;
            }
        }
        return mean;
    }

    private static double[] weightedSum(List<double[]> points, double[] weights) {
        double[] sum = new double[points.get(0).length];
        for (int k = 0; k < weights.length; k++) {
            double[] point = points.get(k);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += weights[k] * point[i];
            }
        }
        return sum;
    }
}
