package org.fedlora4j.lora;

import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;

/**
 * Trains chosen parts of an adapter with AdamW. A trainer may serve any number of adapters, one after the other:
 * {@link #start} takes the values of one, {@link #step} trains them, {@link #trained} gives what became of them.
 */
public final class Trainer implements AutoCloseable {
    private final Set<Part> parts;
    private final LoraConfig config;
    private final MagnitudeAxis axis;
    private final MagnitudeStep magnitudeStep;
    private final TrainableAdapter adapter;
    private final AdaptedModel model;

    /** What AdamW moves, by name: matrices, free directions, magnitudes or their relative changes. */
    private final SortedMap<String, Matrix> parameters = new TreeMap<>();

    /** With multiplicative steps, the magnitudes that the training started from, by name. */
    private final SortedMap<String, Matrix> magnitudes = new TreeMap<>();

    private AdamW optimizer = new AdamW(AdamW.Settings.of(0, 0));
    private ProximalTerm proximal = new ProximalTerm(0);
    private long seed;
    private long steps;

    /** @param parts what is trained; a matrix, or parts of it */
    public Trainer(
            LanguageModel model, LoraConfig config, Set<Part> parts, MagnitudeAxis axis, MagnitudeStep magnitudeStep) {
        this.parts = parts;
        this.config = config;
        this.axis = axis;
        this.magnitudeStep = magnitudeStep;
        this.adapter = new TrainableAdapter(model.config(), config, parts, axis);
        this.model = model.with(adapter);
    }

    /**
     * Begins with an adapter's values and a fresh optimizer.
     *
     * @param seed of dropout
     */
    public void start(AdapterState state, AdamW.Settings settings, long seed) {
        adapter.load(state);
        optimizer = new AdamW(settings);
        proximal = new ProximalTerm(0);
        this.seed = seed;
        steps = 0;
        parameters.clear();
        magnitudes.clear();
        for (Part part : parts) {
            for (String module : adapter.modules()) {
                Matrix value = adapter.read(part, module);
                boolean relative = isRelative(part);
                if (relative) {
                    magnitudes.put(name(part, module), value);
                }
                parameters.put(name(part, module), relative ? Matrix.zeros(value.rows(), value.columns()) : value);
            }
        }
    }

    /**
     * From now until the next start, adds {@code strength/2 · |x - x_shared|²} to the loss of what is trained, FedProx's
     * proximal term (arXiv 1812.06127). Of directions x is the free matrix, of magnitudes with multiplicative steps the
     * factor m / m_shared. The scores that {@link #step} returns are without it.
     *
     * @param shared values of all that is trained, by part and module; directions of unit length
     */
    public void pullTowards(SortedMap<Part, SortedMap<String, Matrix>> shared, double strength) {
        proximal = new ProximalTerm(strength);
        for (Part part : parts) {
            SortedMap<String, Matrix> values = shared.getOrDefault(part, new TreeMap<>());
            for (String module : adapter.modules()) {
                Matrix value = AdapterState.get(values, module);
                if (isRelative(part)) {
                    proximal.pullFactor(name(part, module), magnitude(part, module), value);
                } else {
                    proximal.pull(name(part, module), value);
                }
            }
        }
    }

    /** One optimizer step on a batch; returns the batch's score before it. */
    public Score step(TokenBatch batch) {
        return step(batch, 1);
    }

    /**
     * One optimizer step with a learning rate of its own.
     *
     * @param rateFactor on the learning rate, see {@link LearningRateSchedule}
     */
    public Score step(TokenBatch batch, double rateFactor) {
        adapter.noiseSeed(seed + 7_919 * steps++);
        Score score = model.gradients(batch);
        SortedMap<String, Matrix> gradients = new TreeMap<>();
        for (Part part : parts) {
            for (String module : adapter.modules()) {
                String name = name(part, module);
                Matrix gradient = adapter.gradient(part, module);
                if (isRelative(part)) {
                    // m = m0 (1 + delta), so dL/d delta = m0 dL/dm
                    gradient = product(gradient, magnitude(part, module), 0);
                }
                proximal.addGradient(name, AdapterState.get(parameters, name), gradient);
                gradients.put(name, gradient);
            }
        }
        optimizer.step(parameters, gradients, rateFactor);
        for (Part part : parts) {
            for (String module : adapter.modules()) {
                adapter.write(part, module, value(part, module));
            }
        }
        return score;
    }

    /** The trained values, by part and module; directions of unit length. */
    public SortedMap<Part, SortedMap<String, Matrix>> trained() {
        SortedMap<Part, SortedMap<String, Matrix>> trained = new TreeMap<>();
        for (Part part : parts) {
            SortedMap<String, Matrix> values = new TreeMap<>();
            for (String module : adapter.modules()) {
                Matrix value = value(part, module).copy();
                values.put(module, part.isDirection() ? Decomposition.normalize(value, axis) : value);
            }
            trained.put(part, values);
        }
        return trained;
    }

    /**
     * The trained adapter.
     *
     * @throws IllegalStateException unless whole matrices, both, are trained
     */
    public AdapterState trainedAdapter() {
        if (!parts.equals(Set.of(Part.A, Part.B))) {
            throw new IllegalStateException("trains " + parts + "; an adapter takes A and B");
        }
        SortedMap<String, LoraPair> modules = new TreeMap<>();
        for (String module : adapter.modules()) {
            modules.put(
                    module,
                    new LoraPair(
                            value(Part.A, module).copy(), value(Part.B, module).copy()));
        }
        return new AdapterState(config, modules);
    }

    @Override
    public void close() {
        model.close();
        adapter.close();
    }

    private Matrix value(Part part, String module) {
        Matrix parameter = AdapterState.get(parameters, name(part, module));
        return isRelative(part) ? product(magnitude(part, module), parameter, 1) : parameter;
    }

    private Matrix magnitude(Part part, String module) {
        return AdapterState.get(magnitudes, name(part, module));
    }

    private boolean isRelative(Part part) {
        return part.isMagnitude() && magnitudeStep == MagnitudeStep.MULTIPLICATIVE;
    }

    /** left ⊙ (offset + right). */
    private static Matrix product(Matrix left, Matrix right, float offset) {
        Matrix product = Matrix.zeros(left.rows(), left.columns());
        for (int i = 0; i < product.values().length; i++) {
            product.values()[i] = left.values()[i] * (offset + right.values()[i]);
        }
        return product;
    }

    private static String name(Part part, String module) {
        return module + "." + part;
    }
}
