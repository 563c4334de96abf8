package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.fedlora4j.tests.parity.ParityReport.check;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.fedlora4j.lora.AdamW;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.lora.TrainableAdapter;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.GenerationRequest;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.LanguageModel.Settings;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.tests.parity.ParityReport.Quantity;

/**
 * A toy model on the backend that is active, against what PyTorch made of it: the logits, the loss, every gradient, and a
 * training step. {@link GpuParityTest} runs it on a GPU, {@link DevicePathTest} the same way on the CPU.
 */
final class DeviceParity {
    /** Models that are mapped or copied as they are: in f32 and bf16, with heads of their own and tied, grouped and not. */
    static final List<String> CASES =
            List.of("mha-untied-f32", "gqa-tied-bf16", "head-dim-f32", "rope-llama3-bf16", "new-style-config");

    /** Of the repository itself: a GPU may be elsewhere. */
    private static final Path GOLDEN = Path.of(System.getProperty("fedlora.golden"), "toy");

    private static final Set<Part> MATRICES = EnumSet.of(Part.A, Part.B);
    private static final double LEARNING_RATE = 1e-3;

    /**
     * How far results may be from the reference: logits and each gradient by a part of the largest value, the loss by a part of
     * itself. In f16 all gradients together, by L2 norm; in f32 logits by so much.
     */
    record Tolerances(double logits, double loss, double gradients) {
        /** Those of golden/README.md. */
        static final Tolerances F32 = new Tolerances(3e-4, 1e-5, 2e-4);

        /**
         * A quarter of the largest that {@link ToyBf16Test} takes from PyTorch for bf16: values are rounded eight times as
         * finely, but sums are in 16 bits, too.
         */
        static final Tolerances F16 = new Tolerances(1.7e-1 / 4, 1e-2 / 4, 5.6e-1 / 4);
    }

    private final String row;
    private final Path toy;
    private final Settings settings;
    private final Tolerances tolerances;

    /** @param device what the report calls the backend */
    DeviceParity(String device, String name, Precision precision) {
        row = "toy/" + name + ", " + device + " " + precision;
        toy = GOLDEN.resolve(name);
        settings = Settings.DEFAULT.withPrecision(precision);
        tolerances = precision == Precision.F32 ? Tolerances.F32 : Tolerances.F16;
    }

    /** The frozen model's logits and loss, and its greedy text, whose tokens are its largest logits. */
    void logitsLossAndText() throws IOException {
        try (Reference reference = new Reference(toy.resolve("reference.safetensors"));
                LanguageModel model = LanguageModel.open(toy, settings);
                AdaptedModel plain = model.with(Adapter.NONE)) {
            TokenBatch batch = reference.batch(0);
            float[][] logits =
                    Arrays.stream(plain.logits(batch)).flatMap(Arrays::stream).toArray(float[][]::new);
            Difference difference = Difference.between(concatenated(logits), reference.floats("logits"));
            boolean f32 = settings.precision() == Precision.F32;
            check(row, Quantity.LOGITS, f32 ? difference.absolute() : difference.ofLargest(), tolerances.logits);
            checkLoss(plain.score(batch).stream().reduce(Score.ZERO, Score::plus), reference);
            int[] prompt = batch.ids()[0];
            int token = plain.generate(GenerationRequest.greedy(new int[][] {prompt}, 3, Set.of()))[0][0];
            float[] last = plain.logits(TokenBatch.of(new int[][] {prompt}))[0][prompt.length - 1];
            for (float logit : last) {
                assertThat((double) logit).isLessThanOrEqualTo(last[token] + tolerances.logits * Math.abs(last[token]));
            }
        }
    }

    /** The loss and every gradient by an adapter. */
    void gradients() throws IOException {
        try (Reference reference = new Reference(toy.resolve("adapter-reference.safetensors"));
                LanguageModel model = LanguageModel.open(toy, settings)) {
            AdapterState state = PeftAdapter.read(toy.resolve("adapter"), model.config());
            try (TrainableAdapter adapter =
                            new TrainableAdapter(model.config(), state.config(), MATRICES, MagnitudeAxis.ROW);
                    AdaptedModel adapted = model.with(adapter)) {
                adapter.load(state);
                checkLoss(adapted.gradients(reference.batch(0)), reference);
                List<float[]> found = new ArrayList<>();
                List<float[]> wanted = new ArrayList<>();
                for (String module : adapter.modules()) {
                    for (Part part : MATRICES) {
                        found.add(adapter.gradient(part, module).values());
                        wanted.add(gradient(reference, module, part));
                    }
                }
                checkGradients(found, wanted);
            }
        }
    }

    private void checkGradients(List<float[]> found, List<float[]> wanted) {
        if (settings.precision() == Precision.F32) {
            for (int i = 0; i < wanted.size(); i++) {
                double difference =
                        Difference.between(found.get(i), wanted.get(i)).ofLargest();
                check(row, Quantity.GRADIENTS, difference, tolerances.gradients);
            }
        } else {
            Difference difference = Difference.between(
                    concatenated(found.toArray(float[][]::new)), concatenated(wanted.toArray(float[][]::new)));
            check(row, Quantity.GRADIENTS, difference.norm(), tolerances.gradients);
        }
    }

    /**
     * One step of AdamW without decay from the reference's gradients: the first step moves each value by the learning rate,
     * against the sign of its gradient g, as long as AdamW's epsilon of 1e-8 is small beside g.
     */
    void trainingStep() throws IOException {
        try (Reference reference = new Reference(toy.resolve("adapter-reference.safetensors"));
                LanguageModel model = LanguageModel.open(toy, settings)) {
            AdapterState before = PeftAdapter.read(toy.resolve("adapter"), model.config());
            TokenBatch batch = reference.batch(0);
            try (Trainer trainer =
                    new Trainer(model, before.config(), MATRICES, MagnitudeAxis.ROW, MagnitudeStep.ADDITIVE)) {
                trainer.start(before, AdamW.Settings.of(LEARNING_RATE, 0), 1);
                Score first = trainer.step(batch);
                checkLoss(first, reference);
                AdapterState after = trainer.trainedAdapter();
                int moved = 0;
                for (String module : before.modules().keySet()) {
                    moved += checkMoved(
                            before.pair(module).a(), after.pair(module).a(), gradient(reference, module, Part.A));
                    moved += checkMoved(
                            before.pair(module).b(), after.pair(module).b(), gradient(reference, module, Part.B));
                }
                assertThat(moved).isPositive();
                assertThat(trainer.step(batch).meanLoss()).isLessThan(first.meanLoss());
            }
        }
    }

    private int checkMoved(Matrix before, Matrix after, float[] gradient) {
        double largest = 0;
        for (float g : gradient) {
            largest = Math.max(largest, Math.abs(g));
        }
        int moved = 0;
        for (int i = 0; i < gradient.length; i++) {
            // Beyond what rounding may turn round, and so that epsilon takes less than a hundredth off.
            if (Math.abs(gradient[i]) > Math.max(1e-6, 2 * tolerances.gradients * largest)) {
                double step = after.values()[i] - before.values()[i];
                assertThat(step / -LEARNING_RATE * Math.signum(gradient[i]))
                        .as(row)
                        .isBetween(0.98, 1.02);
                moved++;
            }
        }
        return moved;
    }

    private void checkLoss(Score score, Reference reference) throws IOException {
        double difference = Math.abs(score.meanLoss() / reference.floats("loss")[0] - 1);
        check(row, Quantity.LOSS, difference, tolerances.loss);
    }

    private static float[] gradient(Reference reference, String module, Part part) throws IOException {
        return reference.floats("grad.base_model.model." + module + ".lora_" + part + ".weight");
    }

    private static float[] concatenated(float[][] parts) {
        FloatBuffer all = FloatBuffer.allocate(
                Arrays.stream(parts).mapToInt(part -> part.length).sum());
        Arrays.stream(parts).forEach(all::put);
        return all.array();
    }
}
