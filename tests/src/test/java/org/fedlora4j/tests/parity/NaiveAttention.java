package org.fedlora4j.tests.parity;

import org.fedlora4j.model.config.LlamaConfig;

/** Causal attention of one row of tokens in float64, and its gradient. Queries, keys and values are [T][heads · headSize]. */
final class NaiveAttention {
    private final LlamaConfig config;
    private final double[][] queries;
    private final double[][] keys;
    private final double[][] values;
    /** [head][T][positions up to T's own] */
    private final double[][][] weights;

    /** What a position pays attention to, scaled scores through softmax. */
    NaiveAttention(LlamaConfig config, double[][] queries, double[][] keys, double[][] values) {
        this.config = config;
        this.queries = queries;
        this.keys = keys;
        this.values = values;
        this.weights = new double[config.heads()][queries.length][];
        for (int head = 0; head < config.heads(); head++) {
            for (int t = 0; t < queries.length; t++) {
                weights[head][t] = new double[t + 1];
                for (int s = 0; s <= t; s++) {
                    double score = 0;
                    for (int i = 0; i < config.headSize(); i++) {
                        score += queries[t][own(head) + i] * keys[s][shared(head) + i];
                    }
                    weights[head][t][s] = score / Math.sqrt(config.headSize());
                }
                NaiveMath.softmax(weights[head][t]);
            }
        }
    }

    /** The context: values, weighted. */
    double[][] context() {
        double[][] context = new double[queries.length][config.querySize()];
        for (int head = 0; head < config.heads(); head++) {
            for (int t = 0; t < queries.length; t++) {
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < config.headSize(); i++) {
                        context[t][own(head) + i] += weights[head][t][s] * values[s][shared(head) + i];
                    }
                }
            }
        }
        return context;
    }

    /** Gradients, each as what it belongs to. */
    record Gradients(double[][] queries, double[][] keys, double[][] values) {}

    Gradients backward(double[][] contextGradient) {
        Gradients gradients = new Gradients(
                new double[queries.length][config.querySize()],
                new double[queries.length][config.keyValueSize()],
                new double[queries.length][config.keyValueSize()]);
        for (int head = 0; head < config.heads(); head++) {
            for (int t = 0; t < queries.length; t++) {
                backward(contextGradient, head, t, gradients);
            }
        }
        return gradients;
    }

    /** Of softmax's input: {@code ds = p·(dp - Σ p·dp)}. */
    private void backward(double[][] contextGradient, int head, int t, Gradients gradients) {
        double[] p = weights[head][t];
        double[] dp = new double[p.length];
        double mean = 0;
        for (int s = 0; s <= t; s++) {
            for (int i = 0; i < config.headSize(); i++) {
                double gradient = contextGradient[t][own(head) + i];
                dp[s] += gradient * values[s][shared(head) + i];
                gradients.values[s][shared(head) + i] += p[s] * gradient;
            }
            mean += p[s] * dp[s];
        }
        for (int s = 0; s <= t; s++) {
            double score = p[s] * (dp[s] - mean) / Math.sqrt(config.headSize());
            for (int i = 0; i < config.headSize(); i++) {
                gradients.queries[t][own(head) + i] += score * keys[s][shared(head) + i];
                gradients.keys[s][shared(head) + i] += score * queries[t][own(head) + i];
            }
        }
    }

    /** Where a query head begins. */
    private int own(int head) {
        return head * config.headSize();
    }

    /** Where the key and value head begins that a query head shares with others. */
    private int shared(int head) {
        return head / (config.heads() / config.keyValueHeads()) * config.headSize();
    }
}
