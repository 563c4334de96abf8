package org.fedlora4j.tests.parity;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Role;

/**
 * A LLaMA with LoRA in float64, in plain loops that share no code with ours, forward and backward by hand: the control of what
 * no file has a reference for. One row of tokens; the loss is the mean cross-entropy of all positions but the last.
 */
final class NaiveLlama {
    private final LlamaConfig config;
    private final WeightRows weights;
    private final Map<String, NaiveLora> adapters;
    private final List<Layer> layers = new ArrayList<>();

    /** Gives the rows of a weight by its name; a norm's is one row. Any row, at any time, from several threads. */
    @FunctionalInterface
    interface WeightRows {
        double[] row(String name, int row);
    }

    /** What a layer's backward pass needs of its forward pass, [T][width] each. */
    private record Layer(
            double[][] input,
            double[][] normed,
            NaiveAttention attention,
            double[][] middle,
            double[][] gate,
            double[][] up) {}

    /** @param adapters by module path; empty for none */
    NaiveLlama(LlamaConfig config, WeightRows weights, Map<String, NaiveLora> adapters) {
        this.config = config;
        this.weights = weights;
        this.adapters = adapters;
    }

    /** @param logits [T][V] */
    record Result(double[][] logits, double loss) {}

    double loss(int[] ids) {
        return loss(head(states(ids)), ids);
    }

    /** Forward and backward; gradients are left in the adapters. */
    Result gradients(int[] ids) {
        double[][] last = states(ids);
        double[][] logits = head(last);
        double[][] normed = NaiveMath.productBackward(
                lossBackward(logits, ids), row -> weights.row(headName(), row), config.hiddenSize());
        double[][] gradient = NaiveMath.normBackward(normed, last, finalNorm(), config.rmsNormEps());
        for (int layer = config.layers() - 1; layer >= 0; layer--) {
            gradient = backward(layer, gradient);
        }
        return new Result(logits, loss(logits, ids));
    }

    /** Hidden states after the last layer. */
    private double[][] states(int[] ids) {
        double[][] hidden = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            hidden[t] = weights.row(ParameterNames.name(Role.EMBEDDING), ids[t]).clone();
        }
        layers.clear();
        for (int layer = 0; layer < config.layers(); layer++) {
            hidden = forward(layer, hidden);
        }
        return hidden;
    }

    private double[][] forward(int layer, double[][] input) {
        double[][] normed = norm(layer, Role.INPUT_NORM, input);
        double[][] queries = project(layer, Role.QUERY, normed, config.querySize());
        double[][] keys = project(layer, Role.KEY, normed, config.keyValueSize());
        double[][] values = project(layer, Role.VALUE, normed, config.keyValueSize());
        NaiveMath.rope(queries, config.headSize(), config.ropeTheta(), 1);
        NaiveMath.rope(keys, config.headSize(), config.ropeTheta(), 1);
        NaiveAttention attention = new NaiveAttention(config, queries, keys, values);
        double[][] middle = NaiveMath.add(input, project(layer, Role.OUTPUT, attention.context(), config.hiddenSize()));
        double[][] middleNormed = norm(layer, Role.POST_ATTENTION_NORM, middle);
        double[][] gate = project(layer, Role.GATE, middleNormed, config.intermediateSize());
        double[][] up = project(layer, Role.UP, middleNormed, config.intermediateSize());
        layers.add(new Layer(input, normed, attention, middle, gate, up));
        double[][] activated = new double[input.length][config.intermediateSize()];
        for (int t = 0; t < input.length; t++) {
            for (int i = 0; i < activated[t].length; i++) {
                activated[t][i] = gate[t][i] * NaiveMath.sigmoid(gate[t][i]) * up[t][i];
            }
        }
        return NaiveMath.add(middle, project(layer, Role.DOWN, activated, config.hiddenSize()));
    }

    /** The gradient for the layer's output to that for its input. */
    private double[][] backward(int layer, double[][] gradient) {
        Layer kept = layers.get(layer);
        double[][] middleGradient = NaiveMath.add(gradient, feedForwardBackward(layer, kept, gradient));
        double[][] context = projectBackward(layer, Role.OUTPUT, middleGradient, config.querySize());
        NaiveAttention.Gradients attention = kept.attention.backward(context);
        NaiveMath.rope(attention.queries(), config.headSize(), config.ropeTheta(), -1);
        NaiveMath.rope(attention.keys(), config.headSize(), config.ropeTheta(), -1);
        double[][] normed = adaptedBackward(layer, Role.QUERY, kept.normed, attention.queries());
        normed = NaiveMath.add(normed, adaptedBackward(layer, Role.KEY, kept.normed, attention.keys()));
        normed = NaiveMath.add(normed, adaptedBackward(layer, Role.VALUE, kept.normed, attention.values()));
        return NaiveMath.add(middleGradient, normBackward(layer, Role.INPUT_NORM, kept.input, normed));
    }

    /** With s the sigmoid of the gate g: {@code d(g·s)/dg = s·(1 + g·(1 - s))}. */
    private double[][] feedForwardBackward(int layer, Layer kept, double[][] gradient) {
        double[][] activated = projectBackward(layer, Role.DOWN, gradient, config.intermediateSize());
        double[][] gate = new double[gradient.length][config.intermediateSize()];
        double[][] up = new double[gradient.length][config.intermediateSize()];
        for (int t = 0; t < gradient.length; t++) {
            for (int i = 0; i < gate[t].length; i++) {
                double g = kept.gate[t][i];
                double s = NaiveMath.sigmoid(g);
                up[t][i] = activated[t][i] * g * s;
                gate[t][i] = activated[t][i] * kept.up[t][i] * s * (1 + g * (1 - s));
            }
        }
        double[][] normed = NaiveMath.add(
                projectBackward(layer, Role.GATE, gate, config.hiddenSize()),
                projectBackward(layer, Role.UP, up, config.hiddenSize()));
        return normBackward(layer, Role.POST_ATTENTION_NORM, kept.middle, normed);
    }

    private double[][] norm(int layer, Role role, double[][] x) {
        return NaiveMath.norm(x, weights.row(ParameterNames.name(layer, role), 0), config.rmsNormEps());
    }

    private double[][] normBackward(int layer, Role role, double[][] x, double[][] gradient) {
        double[] weight = weights.row(ParameterNames.name(layer, role), 0);
        return NaiveMath.normBackward(gradient, x, weight, config.rmsNormEps());
    }

    private double[][] project(int layer, Role role, double[][] x, int out) {
        String name = ParameterNames.name(layer, role);
        double[][] result = NaiveMath.product(x, row -> weights.row(name, row), out);
        NaiveLora adapter = adapters.get(module(name));
        return adapter == null ? result : NaiveMath.add(result, adapter.addition(x));
    }

    private double[][] projectBackward(int layer, Role role, double[][] gradient, int in) {
        String name = ParameterNames.name(layer, role);
        return NaiveMath.productBackward(gradient, row -> weights.row(name, row), in);
    }

    /** Of queries, keys or values, which may have an adapter. */
    private double[][] adaptedBackward(int layer, Role role, double[][] x, double[][] gradient) {
        double[][] result = projectBackward(layer, role, gradient, config.hiddenSize());
        NaiveLora adapter = adapters.get(module(ParameterNames.name(layer, role)));
        return adapter == null ? result : NaiveMath.add(result, adapter.backward(x, gradient));
    }

    private static String module(String weight) {
        return weight.substring(0, weight.length() - ".weight".length());
    }

    private double[] finalNorm() {
        return weights.row(ParameterNames.name(Role.FINAL_NORM), 0);
    }

    private String headName() {
        return ParameterNames.name(config.tiedEmbeddings() ? Role.EMBEDDING : Role.HEAD);
    }

    private double[][] head(double[][] states) {
        double[][] normed = NaiveMath.norm(states, finalNorm(), config.rmsNormEps());
        return NaiveMath.product(normed, row -> weights.row(headName(), row), config.vocabularySize());
    }

    private static double loss(double[][] logits, int[] ids) {
        double sum = 0;
        for (int t = 0; t + 1 < ids.length; t++) {
            double[] probabilities = logits[t].clone();
            NaiveMath.softmax(probabilities);
            sum -= Math.log(probabilities[ids[t + 1]]);
        }
        return sum / (ids.length - 1);
    }

    /** {@code (softmax - one-hot) / targets}, and zero at the last position. */
    private static double[][] lossBackward(double[][] logits, int[] ids) {
        double[][] gradient = new double[logits.length][logits[0].length];
        for (int t = 0; t + 1 < ids.length; t++) {
            gradient[t] = logits[t].clone();
            NaiveMath.softmax(gradient[t]);
            gradient[t][ids[t + 1]] -= 1;
            for (int i = 0; i < gradient[t].length; i++) {
                gradient[t][i] /= ids.length - 1;
            }
        }
        return gradient;
    }
}
