package org.fedlora4j.tests.parity;

import static org.fedlora4j.tests.parity.ParityReport.check;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.lora.TrainableAdapter;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.tests.parity.ParityReport.Quantity;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Small models in bf16 against the references, which are in f32. Their random weights exaggerate rounding, each in its own
 * measure, and PyTorch shows which: the larger of its errors with autocast and with all in bf16, as
 * {@code benchmark/peers/bf16_errors.py} prints them, bounds ours.
 */
@ExtendWith(ParityReport.class)
class ToyBf16Test {
    private static final Set<Part> MATRICES = EnumSet.of(Part.A, Part.B);

    private static final double LOSS = 1e-2;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # model          | logits | gradients
            mha-untied-f32   | 6.8e-2 | 1.3e-1
            gqa-tied-bf16    | 5.0e-2 | 9.2e-2
            mqa-f16          | 2.1e-2 | 3.6e-2
            head-dim-f32     | 8.9e-2 | 4.1e-2
            theta-1e6-bf16   | 5.7e-2 | 3.9e-2
            rope-linear-bf16 | 7.6e-2 | 9.3e-2
            rope-llama3-bf16 | 2.8e-2 | 5.7e-2
            new-style-config | 1.7e-1 | 5.6e-1
            """)
    void logitsLossAndGradients(String name, double logits, double gradients) throws IOException {
        if (Bf16.isRefused()) {
            return;
        }
        Path toy = Reference.golden("toy/" + name);
        // Some can't be mapped into memory as they are.
        Path converted = folder.resolve("converted");
        CheckpointConverter.convert(toy, converted, CheckpointConverter.Options.DEFAULT, Progress.none());
        try (Reference reference = new Reference(toy.resolve("adapter-reference.safetensors"));
                LanguageModel model = LanguageModel.open(converted, Bf16.SETTINGS)) {
            AdapterState state = PeftAdapter.read(toy.resolve("adapter"), model.config());
            try (TrainableAdapter adapter =
                            new TrainableAdapter(model.config(), state.config(), MATRICES, MagnitudeAxis.ROW);
                    AdaptedModel adapted = model.with(adapter)) {
                adapter.load(state);
                TokenBatch batch = reference.batch(0);
                String row = "toy/" + name + ", adapter, bf16";
                float[][] rows = Arrays.stream(adapted.logits(batch))
                        .flatMap(Arrays::stream)
                        .toArray(float[][]::new);
                double ofLargest = Difference.between(concatenated(rows), reference.floats("logits"))
                        .ofLargest();
                check(row, Quantity.LOGITS, ofLargest, logits);
                double ofLoss = adapted.gradients(batch).meanLoss() / reference.floats("loss")[0] - 1;
                check(row, Quantity.LOSS, Math.abs(ofLoss), LOSS);
                check(row, Quantity.GRADIENTS, gradients(adapter, reference).norm(), gradients);
            }
        }
    }

    /** All gradients together. */
    private static Difference gradients(TrainableAdapter adapter, Reference reference) throws IOException {
        List<float[]> found = new ArrayList<>();
        List<float[]> wanted = new ArrayList<>();
        for (String module : adapter.modules()) {
            for (Part part : MATRICES) {
                found.add(adapter.gradient(part, module).values());
                wanted.add(reference.floats("grad.base_model.model." + module + ".lora_" + part + ".weight"));
            }
        }
        return Difference.between(
                concatenated(found.toArray(float[][]::new)), concatenated(wanted.toArray(float[][]::new)));
    }

    private static float[] concatenated(float[][] parts) {
        FloatBuffer all = FloatBuffer.allocate(
                Arrays.stream(parts).mapToInt(part -> part.length).sum());
        Arrays.stream(parts).forEach(all::put);
        return all.array();
    }
}
