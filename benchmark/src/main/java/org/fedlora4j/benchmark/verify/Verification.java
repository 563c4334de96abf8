package org.fedlora4j.benchmark.verify;

import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.TrainableAdapter;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;

/** Compares what a model computes with a {@link ReferenceFile}. */
public final class Verification {
    private static final Set<Part> MATRICES = EnumSet.of(Part.A, Part.B);
    private static final Set<Part> PARTS =
            EnumSet.of(Part.A_DIRECTION, Part.A_MAGNITUDE, Part.B_DIRECTION, Part.B_MAGNITUDE);

    private final LanguageModel model;
    private final ReferenceFile reference;
    private final TokenBatch batch;
    private final boolean padding;
    private final Map<String, Comparison> comparisons = new TreeMap<>();

    private Verification(LanguageModel model, ReferenceFile reference, boolean padding) throws IOException {
        this.model = model;
        this.reference = reference;
        this.batch = reference.batch(model.config().vocabularySize(), padding);
        this.padding = padding;
    }

    /**
     * Computes and compares every tensor of the reference.
     *
     * @param adapter what the reference was made with, if anything
     * @param padding whether padded positions are compared too; with right padding the attention mask shows only there
     * @return a comparison for each tensor, by name
     * @throws org.fedlora4j.common.BadInputException if the reference names a tensor that the model or the adapter does not have
     */
    public static List<Comparison> run(
            LanguageModel model, Optional<AdapterState> adapter, ReferenceFile reference, boolean padding)
            throws IOException {
        Verification verification = new Verification(model, reference, padding);
        if (adapter.isEmpty()) {
            try (AdaptedModel plain = model.with(Adapter.NONE)) {
                verification.compareOutputs(plain, "");
            }
        } else {
            AdapterState state = withoutDropout(adapter.get());
            verification.compareAdapted(state, MATRICES, MagnitudeAxis.ROW);
            verification.compareAdapted(state, PARTS, MagnitudeAxis.ROW);
            verification.compareAdapted(state, PARTS, MagnitudeAxis.COLUMN);
        }
        for (String name : reference.compared()) {
            if (!verification.comparisons.containsKey(name)) {
                throw reference.unknown(name);
            }
        }
        return List.copyOf(verification.comparisons.values());
    }

    /** Compares what the reference has of one form of the adapter. */
    private void compareAdapted(AdapterState state, Set<Part> parts, MagnitudeAxis axis) throws IOException {
        String prefix = axis == MagnitudeAxis.COLUMN ? ReferenceFile.COLUMN : "";
        Map<String, Gradient> gradients = new TreeMap<>();
        for (String module : state.modules().keySet()) {
            for (Part part : parts) {
                String key = part.isMatrix()
                        ? "base_model.model." + module + ".lora_" + part + ".weight"
                        : module + ".lora_" + part;
                gradients.put(prefix + ReferenceFile.GRADIENT + key, new Gradient(module, part));
            }
        }
        gradients.keySet().retainAll(reference.compared());
        // By rows the outputs are those of the matrices, which are compared already.
        boolean outputs = (parts == MATRICES || axis == MagnitudeAxis.COLUMN) && hasOutputs(prefix);
        if (gradients.isEmpty() && !outputs) {
            return;
        }
        try (TrainableAdapter adapter = new TrainableAdapter(model.config(), state.config(), parts, axis);
                AdaptedModel adapted = model.with(adapter)) {
            adapter.load(state);
            if (outputs) {
                compareOutputs(adapted, prefix);
            }
            if (!gradients.isEmpty()) {
                requireTargets();
                adapted.gradients(batch);
            }
            for (Map.Entry<String, Gradient> entry : gradients.entrySet()) {
                Gradient gradient = entry.getValue();
                Matrix found = adapter.gradient(gradient.part, gradient.module);
                long[] shape = gradient.part.isMagnitude()
                        ? new long[] {found.values().length}
                        : new long[] {found.rows(), found.columns()};
                compare(entry.getKey(), found.values(), reference.floats(entry.getKey(), shape));
            }
        }
    }

    private record Gradient(String module, Part part) {}

    private boolean hasOutputs(String prefix) {
        return reference.compared().stream()
                .anyMatch(name -> !name.contains(ReferenceFile.GRADIENT)
                        && name.startsWith(ReferenceFile.COLUMN) == prefix.equals(ReferenceFile.COLUMN));
    }

    private void compareOutputs(AdaptedModel adapted, String prefix) throws IOException {
        List<String> wanted = reference.compared();
        if (wanted.contains(prefix + ReferenceFile.LOGITS)) {
            float[][] rows =
                    Arrays.stream(adapted.logits(batch)).flatMap(Arrays::stream).toArray(float[][]::new);
            compareRows(prefix + ReferenceFile.LOGITS, rows);
        }
        if (wanted.contains(prefix + ReferenceFile.LOSS)) {
            requireTargets();
            double loss = adapted.score(batch).stream()
                    .reduce(Score.ZERO, Score::plus)
                    .meanLoss();
            String name = prefix + ReferenceFile.LOSS;
            compare(name, new float[] {(float) loss}, reference.floats(name, 1));
        }
        if (prefix.isEmpty() && wanted.stream().anyMatch(name -> name.startsWith(ReferenceFile.HIDDEN))) {
            float[][][] states = adapted.hiddenStates(batch);
            for (int i = 0; i < states.length; i++) {
                String name = ReferenceFile.HIDDEN + (i == states.length - 1 ? "final" : i);
                if (wanted.contains(name)) {
                    compareRows(name, states[i]);
                }
            }
        }
    }

    private void requireTargets() {
        if (batch.targets() == 0) {
            throw reference.wrong("labels", "have no target; wanted at least one for a loss");
        }
    }

    /** Compares [rows · longest][width] with a reference [rows, tokens, width]. */
    private void compareRows(String name, float[][] found) throws IOException {
        int width = found[0].length;
        float[] wanted = reference.floats(name, reference.rows(), reference.tokens(), width);
        Comparison.Running running = new Comparison.Running();
        for (int row = 0; row < reference.rows(); row++) {
            int compared = padding ? reference.tokens() : batch.ids()[row].length;
            for (int position = 0; position < compared; position++) {
                running.add(
                        found[row * batch.longest() + position], wanted, (row * reference.tokens() + position) * width);
            }
        }
        comparisons.put(name, running.named(name));
    }

    private void compare(String name, float[] found, float[] wanted) {
        Comparison.Running running = new Comparison.Running();
        running.add(found, wanted, 0);
        comparisons.put(name, running.named(name));
    }

    /** References are made without dropout, whatever the adapter was trained with. */
    private static AdapterState withoutDropout(AdapterState state) {
        LoraConfig config = state.config();
        return new AdapterState(
                new LoraConfig(
                        config.rank(),
                        config.alpha(),
                        config.targets(),
                        0,
                        config.rsLora(),
                        config.rankPattern(),
                        config.alphaPattern()),
                state.modules());
    }
}
