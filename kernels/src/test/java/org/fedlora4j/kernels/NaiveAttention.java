package org.fedlora4j.kernels;

import org.fedlora4j.kernels.AttentionKernel.Dimensions;

/**
 * Attention and its gradients in double, a number at a time, and how far a kernel may be from each of them: weights and the
 * scores' gradients are rounded with relative error {@code rounding}, and sums are taken in float.
 */
final class NaiveAttention {
    /** Of a float32 sum, as a share of the sum of sizes. */
    private static final double ARITHMETIC = 2e-6;

    final Result output;
    final Result queryGradient;
    final Result keyGradient;
    final Result valueGradient;

    private final Dimensions d;

    /** Values, and the sums of what may be wrong with them. */
    record Result(double[] values, double[] errors) {
        Result(int length) {
            this(new double[length], new double[length]);
        }

        /** Adds a product whose first factor has an error. */
        private void add(int at, double factor, double error, double other) {
            values[at] += factor * other;
            errors[at] += error * Math.abs(other);
        }
    }

    /**
     * @param q [B·T, H·h]
     * @param k [B·T, K·h]
     * @param v [B·T, K·h]
     * @param mask [B, 1, T, T]
     * @param gradient of the output, [B·T, H·h]
     */
    NaiveAttention(
            Dimensions dimensions, float[] q, float[] k, float[] v, float[] mask, float[] gradient, double rounding) {
        d = dimensions;
        output = new Result(q.length);
        queryGradient = new Result(q.length);
        keyGradient = new Result(k.length);
        valueGradient = new Result(k.length);
        double scale = 1 / Math.sqrt(d.headSize());
        double share = rounding + ARITHMETIC;
        for (int row = 0; row < d.batch() * d.tokens(); row++) {
            for (int head = 0; head < d.heads(); head++) {
                int query = row * d.queryWidth() + head * d.headSize();
                double[] weights = weights(q, k, mask, row, head);
                double[] slopes = new double[d.tokens()];
                double[] slopeErrors = new double[d.tokens()];
                double mean = 0;
                double meanOfSizes = 0;
                double meanOfErrors = 0;
                for (int token = 0; token < d.tokens(); token++) {
                    int key = key(row, head, token);
                    for (int i = 0; i < d.headSize(); i++) {
                        double product = (double) gradient[query + i] * v[key + i];
                        slopes[token] += product;
                        slopeErrors[token] += ARITHMETIC * Math.abs(product);
                        output.add(query + i, weights[token], share * weights[token], v[key + i]);
                        valueGradient.add(key + i, weights[token], share * weights[token], gradient[query + i]);
                    }
                    mean += weights[token] * slopes[token];
                    meanOfSizes += weights[token] * Math.abs(slopes[token]);
                    meanOfErrors += weights[token] * slopeErrors[token];
                }
                for (int token = 0; token < d.tokens(); token++) {
                    int key = key(row, head, token);
                    double slope = scale * weights[token] * (slopes[token] - mean);
                    // Weights are rounded before they are read here, their product afterwards, and what it multiplies.
                    double error = 3 * share * Math.abs(slope)
                            + scale * weights[token] * (slopeErrors[token] + meanOfErrors + share * meanOfSizes);
                    for (int i = 0; i < d.headSize(); i++) {
                        queryGradient.add(query + i, slope, error, k[key + i]);
                        keyGradient.add(key + i, slope, error, q[query + i]);
                    }
                }
            }
        }
    }

    /** Softmax of a row of scores. The mask is added in float, where so many scores vanish beside what hides. */
    private double[] weights(float[] q, float[] k, float[] mask, int row, int head) {
        double[] weights = new double[d.tokens()];
        double largest = Double.NEGATIVE_INFINITY;
        for (int token = 0; token < d.tokens(); token++) {
            double score = 0;
            for (int i = 0; i < d.headSize(); i++) {
                score += (double) q[row * d.queryWidth() + head * d.headSize() + i] * k[key(row, head, token) + i];
            }
            float added = mask[row * d.tokens() + token];
            score /= Math.sqrt(d.headSize());
            weights[token] = added < -1e8f ? (float) score + added : score + added;
            largest = Math.max(largest, weights[token]);
        }
        double sum = 0;
        for (int token = 0; token < d.tokens(); token++) {
            weights[token] = Math.exp(weights[token] - largest);
            sum += weights[token];
        }
        for (int token = 0; token < d.tokens(); token++) {
            weights[token] /= sum;
        }
        return weights;
    }

    /** Where the keys of a token begin that a query's head looks at; a row of queries looks at its own text. */
    private int key(int row, int head, int token) {
        int group = d.heads() / d.keyValueHeads();
        return (row / d.tokens() * d.tokens() + token) * d.keyWidth() + head / group * d.headSize();
    }
}
