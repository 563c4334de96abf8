package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.fedlora4j.tests.parity.ParityReport.check;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.lora.TrainableAdapter;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.LanguageModel.Settings;
import org.fedlora4j.model.Recompute;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.tests.parity.ParityReport.Quantity;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Small models of every kind, plain and with adapters, in all ways of keeping weights and activations. */
@ExtendWith(ParityReport.class)
class ToyParityTest {
    private static final List<String> SAFETENSORS =
            List.of("mha-untied-f32", "gqa-tied-bf16", "head-dim-f32", "rope-llama3-bf16", "new-style-config");

    private static final List<String> PYTORCH_FILES = List.of("mqa-f16", "theta-1e6-bf16", "rope-linear-bf16");

    private static final List<String> CASES =
            Stream.of(SAFETENSORS, PYTORCH_FILES).flatMap(List::stream).toList();

    // The tolerances of golden/README.md.
    private static final double LOGITS = 3e-4;
    private static final double LOSS = 1e-5;
    private static final double HIDDEN = 2e-5;
    private static final double GRADIENTS = 2e-4;
    private static final double DECOMPOSED_GRADIENTS = 4e-4;
    private static final double MERGED_WEIGHTS = 1e-6;

    /** Weights kept as floats, or cast before each use; activations kept, or computed again. */
    private static final List<Settings> SETTINGS = Stream.of(0L, 1L << 30)
            .flatMap(residentBytes -> Arrays.stream(Recompute.values())
                    .map(recompute -> new Settings(residentBytes, 1L << 30, recompute, Precision.F32)))
            .toList();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path converted;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    static Stream<Arguments> casesAndSettings() {
        return CASES.stream().flatMap(name -> SETTINGS.stream().map(settings -> Arguments.of(name, settings)));
    }

    /** Evaluation computes nothing twice, so only where weights are kept matters. */
    static Stream<Arguments> casesAndWeights() {
        return casesAndSettings().filter(arguments -> ((Settings) arguments.get()[1]).recompute() == Recompute.NONE);
    }

    @ParameterizedTest
    @MethodSource("casesAndWeights")
    void logitsLossAndHiddenStates(String name, Settings settings) throws IOException {
        Path toy = Reference.golden("toy/" + name);
        try (Reference reference = new Reference(toy.resolve("reference.safetensors"));
                LanguageModel model = open(name, settings);
                AdaptedModel plain = model.with(Adapter.NONE)) {
            checkLogitsAndLoss("toy/" + name, plain, reference, LOGITS);
            float[][][] states = plain.hiddenStates(reference.batch(0));
            int layers = model.config().layers();
            for (int layer = 0; layer <= layers; layer++) {
                checkHidden(name, flatten(states[layer]), reference.floats("hidden." + layer));
            }
            checkHidden(name, flatten(states[layers + 1]), reference.floats("hidden.final"));
        }
    }

    /** With weights of F16 and F32 beside one another. */
    @ParameterizedTest
    @ValueSource(strings = {"mqa-f16", "new-style-config"})
    void logitsAndLossOfGguf(String name) throws IOException {
        Path source = Reference.golden("gguf/" + name);
        Path converted = folder.resolve("converted");
        CheckpointConverter.convert(
                source.resolve("model.gguf"), converted, CheckpointConverter.Options.DEFAULT, Progress.none());
        try (Reference reference = new Reference(source.resolve("reference.safetensors"));
                LanguageModel model = LanguageModel.open(converted);
                AdaptedModel plain = model.with(Adapter.NONE)) {
            checkLogitsAndLoss("gguf/" + name, plain, reference, 2e-4);
        }
    }

    @ParameterizedTest
    @MethodSource("casesAndSettings")
    void lossAndEveryGradientOfAnAdapter(String name, Settings settings) throws IOException {
        Path toy = Reference.golden("toy/" + name);
        Set<Part> parts = EnumSet.of(Part.A, Part.B);
        try (Reference reference = new Reference(toy.resolve("adapter-reference.safetensors"));
                LanguageModel model = open(name, settings);
                TrainableAdapter adapter = adapter(model, toy, parts, MagnitudeAxis.ROW);
                AdaptedModel adapted = model.with(adapter)) {
            String row = "toy/" + name + ", adapter";
            checkLogitsAndLoss(row, adapted, reference, LOGITS);
            checkGradients(row, adapted, adapter, parts, reference, "grad.base_model.model.", ".weight", GRADIENTS);
        }
    }

    @ParameterizedTest
    @MethodSource("casesAndSettings")
    void lossAndEveryGradientOfADecomposedAdapter(String name, Settings settings) throws IOException {
        Path toy = Reference.golden("toy/" + name);
        Set<Part> parts = EnumSet.of(Part.A_DIRECTION, Part.A_MAGNITUDE, Part.B_DIRECTION, Part.B_MAGNITUDE);
        for (MagnitudeAxis axis : MagnitudeAxis.values()) {
            try (Reference reference = new Reference(toy.resolve("decomposed-reference.safetensors"));
                    LanguageModel model = open(name, settings);
                    TrainableAdapter adapter = adapter(model, toy, parts, axis);
                    AdaptedModel adapted = model.with(adapter)) {
                String row = "toy/" + name + (axis == MagnitudeAxis.ROW ? ", by rows" : ", by columns");
                String prefix = axis == MagnitudeAxis.ROW ? "grad." : "column.grad.";
                checkLogitsAndLoss(row, adapted, reference, LOGITS);
                checkGradients(row, adapted, adapter, parts, reference, prefix, "", DECOMPOSED_GRADIENTS);
            }
        }
    }

    /** Our merging and PEFT's give the same weights, and these the same model as the adapter. */
    @ParameterizedTest
    @ValueSource(strings = {"mha-untied-f32", "gqa-tied-bf16"})
    void mergedWeightsAreTheAdaptedModel(String name) throws IOException {
        Path toy = Reference.golden("toy/" + name);
        String row = "toy/" + name + ", merged";
        Files.copy(toy.resolve("config.json"), folder.resolve("config.json"));
        Files.copy(toy.resolve("merged/model.safetensors"), folder.resolve("model.safetensors"));
        try (Reference reference = new Reference(toy.resolve("adapter-reference.safetensors"));
                Checkpoint base = Checkpoint.open(toy);
                Checkpoint merged = Checkpoint.open(folder);
                LanguageModel model = LanguageModel.open(folder);
                AdaptedModel plain = model.with(Adapter.NONE)) {
            AdapterState adapter = PeftAdapter.read(toy.resolve("adapter"), model.config());
            for (String module : adapter.modules().keySet()) {
                LoraPair pair = adapter.pair(module);
                Matrix weight = Matrix.of(pair.out(), pair.in(), base.floats(module + ".weight"));
                float[] found =
                        pair.merge(weight, adapter.config().scale(module)).values();
                Difference difference = Difference.between(found, merged.floats(module + ".weight"));
                check(row, Quantity.WEIGHTS, difference.absolute(), MERGED_WEIGHTS);
            }
            checkLogitsAndLoss(row, plain, reference, LOGITS);
        }
    }

    /** What can't be mapped into memory is converted first, once. */
    private static LanguageModel open(String name, Settings settings) throws IOException {
        Path toy = Reference.golden("toy/" + name);
        if (!PYTORCH_FILES.contains(name)) {
            return LanguageModel.open(toy, settings);
        }
        Path target = converted.resolve(name);
        if (!Files.exists(target)) {
            CheckpointConverter.convert(toy, target, CheckpointConverter.Options.DEFAULT, Progress.none());
        }
        return LanguageModel.open(target, settings);
    }

    private static TrainableAdapter adapter(LanguageModel model, Path toy, Set<Part> trained, MagnitudeAxis axis)
            throws IOException {
        AdapterState state = PeftAdapter.read(toy.resolve("adapter"), model.config());
        TrainableAdapter adapter = new TrainableAdapter(model.config(), state.config(), trained, axis);
        adapter.load(state);
        return adapter;
    }

    private static void checkLogitsAndLoss(String row, AdaptedModel model, Reference reference, double tolerance)
            throws IOException {
        TokenBatch batch = reference.batch(0);
        float[] logits = flatten(
                Arrays.stream(model.logits(batch)).flatMap(Arrays::stream).toArray(float[][]::new));
        Difference difference = Difference.between(logits, reference.floats("logits"));
        check(row, Quantity.LOGITS, difference.absolute(), tolerance);
        checkLoss(row, model.score(batch).stream().reduce(Score.ZERO, Score::plus), reference);
    }

    private static void checkLoss(String row, Score score, Reference reference) throws IOException {
        check(row, Quantity.LOSS, Math.abs(score.meanLoss() - reference.floats("loss")[0]), LOSS);
    }

    private static void checkHidden(String name, float[] found, float[] wanted) {
        check("toy/" + name, Quantity.HIDDEN, Difference.between(found, wanted).ofLargest(), HIDDEN);
    }

    private static void checkGradients(
            String row,
            AdaptedModel model,
            TrainableAdapter adapter,
            Set<Part> parts,
            Reference reference,
            String prefix,
            String suffix,
            double tolerance)
            throws IOException {
        checkLoss(row, model.gradients(reference.batch(0)), reference);
        int compared = 0;
        for (String module : adapter.modules()) {
            for (Part part : parts) {
                float[] wanted = reference.floats(prefix + module + ".lora_" + part + suffix);
                float[] found = adapter.gradient(part, module).values();
                check(row, Quantity.GRADIENTS, Difference.between(found, wanted).ofLargest(), tolerance);
                compared++;
            }
        }
        assertThat(compared).as("gradients compared").isEqualTo((int) reference.names().stream()
                .filter(name -> name.startsWith(prefix))
                .count());
    }

    private static float[] flatten(float[][] rows) {
        float[] flat = new float[rows.length * rows[0].length];
        for (int row = 0; row < rows.length; row++) {
            System.arraycopy(rows[row], 0, flat, row * rows[0].length, rows[0].length);
        }
        return flat;
    }
}
