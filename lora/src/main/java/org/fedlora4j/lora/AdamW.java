package org.fedlora4j.lora;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;

/**
 * AdamW (arXiv 1711.05101) with the arithmetic of {@code torch.optim.AdamW}: at step t, for the gradient g of x,
 *
 * <pre>
 *   x &lt;- x - lr * decay * x
 *   m &lt;- beta1 m + (1 - beta1) g        v &lt;- beta2 v + (1 - beta2) g²
 *   x &lt;- x - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 * </pre>
 *
 * Moments are kept in float32, the arithmetic of an element is double. Not thread-safe.
 */
public final class AdamW {
    private final Settings settings;
    private final SortedMap<String, Moments> moments = new TreeMap<>();
    private long step;

    /**
     * The hyper-parameters.
     *
     * @param learningRate at least 0
     * @param weightDecay decoupled: multiplied by the learning rate, not by the gradient's scale
     */
    public record Settings(double learningRate, double beta1, double beta2, double epsilon, double weightDecay) {
        public Settings {
            requireRange("learning rate", learningRate, 0, Double.MAX_VALUE);
            requireRange("beta1", beta1, 0, Math.nextDown(1.0));
            requireRange("beta2", beta2, 0, Math.nextDown(1.0));
            requireRange("epsilon", epsilon, 0, Double.MAX_VALUE);
            requireRange("weight decay", weightDecay, 0, Double.MAX_VALUE);
        }

        /** PyTorch's beta1 0.9, beta2 0.999, epsilon 1e-8. */
        public static Settings of(double learningRate, double weightDecay) {
            return new Settings(learningRate, 0.9, 0.999, 1e-8, weightDecay);
        }

        private static void requireRange(String field, double value, double least, double most) {
            if (!(value >= least && value <= most)) {
                throw new BadInputException(
                        "AdamW's " + field + ": " + value + ", wanted a number from " + least + " to " + most);
            }
        }
    }

    /** The running means of one parameter's gradient and of its square, of the parameter's shape. */
    public record Moments(Matrix mean, Matrix square) {
        Moments copy() {
            return new Moments(mean.copy(), square.copy());
        }
    }

    /** All that a run needs to go on: the steps done and the moments by parameter name. */
    public record State(long step, SortedMap<String, Moments> moments) {
        public State {
            if (step < 0) {
                throw new IllegalArgumentException("step: " + step + ", wanted at least 0");
            }
            SortedMap<String, Moments> copies = new TreeMap<>();
            moments.forEach((name, value) -> copies.put(name, value.copy()));
            moments = Collections.unmodifiableSortedMap(copies);
        }
    }

    public AdamW(Settings settings) {
        this.settings = settings;
    }

    /** Goes on from a saved state. */
    public AdamW(Settings settings, State state) {
        this.settings = settings;
        this.step = state.step();
        state.moments().forEach((name, value) -> moments.put(name, value.copy()));
    }

    /** A copy of the state between two steps. */
    public State state() {
        return new State(step, moments);
    }

    /** One step, in place, over all parameters; {@code gradients} has the same names and shapes. */
    public void step(Map<String, Matrix> parameters, Map<String, Matrix> gradients) {
        step(parameters, gradients, 1);
    }

    /**
     * One step with a learning rate of its own.
     *
     * @param rateFactor on the settings' learning rate, at least 0; 1 changes no bit
     */
    public void step(Map<String, Matrix> parameters, Map<String, Matrix> gradients, double rateFactor) {
        if (!parameters.keySet().equals(gradients.keySet())) {
            throw new IllegalArgumentException(
                    "gradients of " + gradients.keySet() + ", the parameters are " + parameters.keySet());
        }
        step++;
        double learningRate = settings.learningRate() * rateFactor;
        parameters.forEach(
                (name, parameter) -> update(name, parameter, AdapterState.get(gradients, name), learningRate));
    }

    private void update(String name, Matrix parameter, Matrix gradient, double learningRate) {
        Moments moment = moments.computeIfAbsent(
                name,
                n -> new Moments(
                        Matrix.zeros(parameter.rows(), parameter.columns()),
                        Matrix.zeros(parameter.rows(), parameter.columns())));
        if (!gradient.sameShape(parameter) || !moment.mean().sameShape(parameter)) {
            throw new IllegalArgumentException(
                    name + ": gradient " + gradient.shape() + ", parameter " + parameter.shape());
        }
        double correction1 = 1 - Math.pow(settings.beta1(), (double) step);
        double correction2 = 1 - Math.pow(settings.beta2(), (double) step);
        double keep = 1 - learningRate * settings.weightDecay();
        float[] x = parameter.values();
        float[] g = gradient.values();
        float[] mean = moment.mean().values();
        float[] square = moment.square().values();
        for (int i = 0; i < x.length; i++) {
            double m = settings.beta1() * mean[i] + (1 - settings.beta1()) * g[i];
            double v = settings.beta2() * square[i] + (1 - settings.beta2()) * g[i] * g[i];
            double direction = (m / correction1) / (Math.sqrt(v / correction2) + settings.epsilon());
            x[i] = (float) (keep * x[i] - learningRate * direction);
            mean[i] = (float) m;
            square[i] = (float) v;
        }
    }
}
