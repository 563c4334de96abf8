package org.fedlora4j.federation.optimizer;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/**
 * Moves the server's tensors towards the clients' aggregates, as {@link ServerSettings} says. Directions move on the
 * sphere, in the tangent space at the current direction; everything else moves in flat space. Running means are kept by
 * tensor name, in float32, so that a saved state is the whole state. Not thread-safe.
 */
public final class ServerOptimizer {
    private static final String MEAN = ".mean";
    private static final String SQUARE = ".square";

    private final ServerSettings settings;
    private final SortedMap<String, Matrix> state = new TreeMap<>();

    public ServerOptimizer(ServerSettings settings) {
        this.settings = settings;
    }

    /** Goes on from a saved state. */
    public ServerOptimizer(ServerSettings settings, SortedMap<String, Matrix> state) {
        this.settings = settings;
        this.state.putAll(state);
    }

    /** The running means, {@code <tensor>.mean} and {@code <tensor>.square}; empty without momentum or Adam. */
    public SortedMap<String, Matrix> state() {
        return Collections.unmodifiableSortedMap(new TreeMap<>(state));
    }

    /** The next value of a matrix or of magnitudes. */
    public Matrix step(String tensor, Matrix current, Matrix aggregate) {
        return step(tensor, current, aggregate, new Geometry.Flat());
    }

    /** The next value of directions: unit rows, or columns, as the axis says. */
    public Matrix stepOnSphere(String tensor, Matrix current, Matrix aggregate, MagnitudeAxis axis) {
        return step(tensor, current, aggregate, new Geometry.Spheres(axis));
    }

    private Matrix step(String tensor, Matrix current, Matrix aggregate, Geometry geometry) {
        if (settings.equals(ServerSettings.AGGREGATE)) {
            return aggregate;
        }
        double[] towards = geometry.log(current, aggregate);
        return geometry.exp(current, move(tensor, current, towards, geometry));
    }

    private double[] move(String tensor, Matrix current, double[] towards, Geometry geometry) {
        if (settings instanceof ServerSettings.Step plain) {
            return scaled(towards, plain.step());
        }
        double[] old = geometry.transport(current, load(tensor + MEAN, current));
        if (settings instanceof ServerSettings.Momentum momentum) {
            double[] mean = sum(momentum.momentum(), old, 1, towards);
            save(tensor + MEAN, current, mean);
            return scaled(mean, momentum.step());
        }
        ServerSettings.Adam adam = (ServerSettings.Adam) settings;
        double[] mean = sum(adam.beta1(), old, 1 - adam.beta1(), towards);
        double[] square =
                sum(adam.beta2(), load(tensor + SQUARE, current), 1 - adam.beta2(), geometry.squares(current, towards));
        save(tensor + MEAN, current, mean);
        save(tensor + SQUARE, current, square);
        double[] move = new double[mean.length];
        for (int i = 0; i < move.length; i++) {
            move[i] = adam.step() * mean[i] / (Math.sqrt(square[i]) + adam.epsilon());
        }
        return move;
    }

    private double[] load(String name, Matrix like) {
        double[] values = new double[like.values().length];
        Matrix saved = state.get(name);
        if (saved != null) {
            for (int i = 0; i < values.length; i++) {
                values[i] = saved.values()[i];
            }
        }
        return values;
    }

    private void save(String name, Matrix like, double[] values) {
        Matrix saved = Matrix.zeros(like.rows(), like.columns());
        for (int i = 0; i < values.length; i++) {
            saved.values()[i] = (float) values[i];
        }
        state.put(name, saved);
    }

    private static double[] scaled(double[] values, double factor) {
        return sum(factor, values, 0, values);
    }

    private static double[] sum(double leftFactor, double[] left, double rightFactor, double[] right) {
        double[] sum = new double[left.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = leftFactor * left[i] + rightFactor * right[i];
        }
        return sum;
    }
}
