package org.fedlora4j.tests.parity;

import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Parts of a model in float64, in plain loops. Matrices are [tokens][width]; weights come row by row, and are never all there. */
final class NaiveMath {
    private static final int CHUNK = 64;

    private NaiveMath() {}

    /** {@code x·Wᵀ}: [T][in] by rows [in] of W, of which there are {@code out}, to [T][out]. */
    static double[][] product(double[][] x, IntFunction<double[]> rows, int out) {
        double[][] result = new double[x.length][out];
        IntStream.range(0, out).parallel().forEach(o -> {
            double[] row = rows.apply(o);
            for (int t = 0; t < x.length; t++) {
                result[t][o] = dot(row, x[t]);
            }
        });
        return result;
    }

    /** The gradient of {@link #product} for x: {@code dy·W}, [T][out] to [T][in]. */
    static double[][] productBackward(double[][] dy, IntFunction<double[]> rows, int in) {
        int out = dy[0].length;
        return IntStream.range(0, (out + CHUNK - 1) / CHUNK)
                .parallel()
                .mapToObj(chunk -> {
                    double[][] part = new double[dy.length][in];
                    for (int o = chunk * CHUNK; o < Math.min(out, (chunk + 1) * CHUNK); o++) {
                        double[] row = rows.apply(o);
                        for (int t = 0; t < dy.length; t++) {
                            addScaled(part[t], row, dy[t][o]);
                        }
                    }
                    return part;
                })
                .reduce(NaiveMath::add)
                .orElseThrow();
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    /** Adds {@code scale·b} to a. */
    static void addScaled(double[] a, double[] b, double scale) {
        for (int i = 0; i < a.length; i++) {
            a[i] += scale * b[i];
        }
    }

    /** A new matrix, the sum. */
    static double[][] add(double[][] a, double[][] b) {
        double[][] sum = new double[a.length][];
        for (int t = 0; t < a.length; t++) {
            sum[t] = a[t].clone();
            addScaled(sum[t], b[t], 1);
        }
        return sum;
    }

    /** RMSNorm: {@code x / sqrt(mean(x²) + eps) · weight}. */
    static double[][] norm(double[][] x, double[] weight, double eps) {
        double[][] result = new double[x.length][weight.length];
        for (int t = 0; t < x.length; t++) {
            double inverse = 1 / Math.sqrt(dot(x[t], x[t]) / weight.length + eps);
            for (int i = 0; i < weight.length; i++) {
                result[t][i] = x[t][i] * inverse * weight[i];
            }
        }
        return result;
    }

    /** With r the inverse root and g = dy·weight: {@code dx = r·g - x·r³·(g·x)/D}. */
    static double[][] normBackward(double[][] dy, double[][] x, double[] weight, double eps) {
        int width = weight.length;
        double[][] dx = new double[x.length][width];
        for (int t = 0; t < x.length; t++) {
            double inverse = 1 / Math.sqrt(dot(x[t], x[t]) / width + eps);
            double along = 0;
            for (int i = 0; i < width; i++) {
                along += dy[t][i] * weight[i] * x[t][i];
            }
            for (int i = 0; i < width; i++) {
                dx[t][i] = inverse * dy[t][i] * weight[i] - x[t][i] * Math.pow(inverse, 3) * along / width;
            }
        }
        return dx;
    }

    /**
     * Turns the pairs (i, i + headSize/2) of every head, at position t by {@code t·theta^(-2i/headSize)}.
     *
     * @param direction 1, or -1 for the gradient
     */
    static void rope(double[][] x, int headSize, double theta, int direction) {
        int half = headSize / 2;
        for (int t = 0; t < x.length; t++) {
            for (int head = 0; head < x[t].length; head += headSize) {
                for (int i = 0; i < half; i++) {
                    double angle = direction * t * Math.pow(theta, -2.0 * i / headSize);
                    double first = x[t][head + i];
                    double second = x[t][head + i + half];
                    x[t][head + i] = first * Math.cos(angle) - second * Math.sin(angle);
                    x[t][head + i + half] = second * Math.cos(angle) + first * Math.sin(angle);
                }
            }
        }
    }

    /** In place. */
    static void softmax(double[] values) {
        double largest = IntStream.range(0, values.length)
                .mapToDouble(i -> values[i])
                .max()
                .orElseThrow();
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.exp(values[i] - largest);
            sum += values[i];
        }
        for (int i = 0; i < values.length; i++) {
            values[i] /= sum;
        }
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}
