package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.GenerationRequest;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.exec.NativeMemory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.nd4j.linalg.api.ndarray.INDArray;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
class TrainableAdapterTest {
    private static final Set<Part> MATRICES = EnumSet.of(Part.A, Part.B);
    private static final String MODULE = "model.layers.1.mlp.up_proj";

    private LanguageModel model;
    private AdapterState state;
    private TokenBatch batch;

    @BeforeAll
    void open() throws IOException {
        model = Toy.model();
        state = Toy.adapter(model);
        batch = Toy.batch();
    }

    @AfterAll
    void close() throws IOException {
        model.close();
    }

    @Test
    void anUntrainedAdapterIsTheBaseModelExactly() {
        AdapterState untrained =
                AdapterState.initial(state.config(), ModuleShape.of(model.config(), state.config()), 3);
        try (AdaptedModel plain = model.with(Adapter.NONE);
                TrainableAdapter adapter = adapter(state.config(), Set.of());
                AdaptedModel adapted = model.with(adapter)) {
            adapter.load(untrained);
            assertThat(adapted.logits(batch)).isDeepEqualTo(plain.logits(batch));
            adapter.load(state);
            assertThat(adapted.score(batch)).isNotEqualTo(plain.score(batch));
        }
    }

    @Test
    void asPartsItIsTheSameModel() {
        try (TrainableAdapter whole = adapter(state.config(), MATRICES);
                AdaptedModel reference = model.with(whole)) {
            whole.load(state);
            double wanted = reference.gradients(batch).meanLoss();
            for (MagnitudeAxis axis : MagnitudeAxis.values()) {
                Set<Part> parts = EnumSet.of(Part.A_DIRECTION, Part.B_MAGNITUDE);
                try (TrainableAdapter split = new TrainableAdapter(model.config(), state.config(), parts, axis);
                        AdaptedModel adapted = model.with(split)) {
                    split.load(state);
                    assertThat(adapted.gradients(batch).meanLoss()).isCloseTo(wanted, within(1e-5));
                }
            }
        }
    }

    @Test
    void withoutDropoutTheSeedDoesNotMatter() {
        try (TrainableAdapter adapter = adapter(state.config(), MATRICES);
                AdaptedModel adapted = model.with(adapter)) {
            adapter.load(state);
            adapter.noiseSeed(1);
            double loss = adapted.gradients(batch).meanLoss();
            Matrix gradient = adapter.gradient(Part.A, MODULE);
            adapter.noiseSeed(2);
            assertThat(adapted.gradients(batch).meanLoss()).isEqualTo(loss);
            assertThat(adapter.gradient(Part.A, MODULE)).isEqualTo(gradient);
        }
    }

    @Test
    void dropoutIsForTrainingOnlyAndEachSeedHasItsOwn() {
        try (TrainableAdapter sure = adapter(state.config(), MATRICES);
                AdaptedModel reference = model.with(sure);
                TrainableAdapter adapter = adapter(withDropout(0.3), MATRICES);
                AdaptedModel adapted = model.with(adapter)) {
            sure.load(state);
            adapter.load(state);
            assertThat(adapted.score(batch)).isEqualTo(reference.score(batch));
            adapter.noiseSeed(1);
            double first = adapted.gradients(batch).meanLoss();
            adapter.noiseSeed(2);
            double second = adapted.gradients(batch).meanLoss();
            adapter.noiseSeed(1);
            assertThat(adapted.gradients(batch).meanLoss()).isEqualTo(first).isNotEqualTo(second);
        }
    }

    /** The backward pass sees the forward pass's mask, or gradients would not be the loss's slopes. */
    @Test
    void gradientsUnderDropoutAreTheSlopesOfTheLoss() {
        try (TrainableAdapter adapter = adapter(withDropout(0.4), MATRICES);
                AdaptedModel adapted = model.with(adapter)) {
            adapter.load(state);
            adapter.noiseSeed(9);
            for (String module : List.of("model.layers.0.self_attn.k_proj", MODULE)) {
                for (Part part : MATRICES) {
                    adapted.gradients(batch);
                    Matrix gradient = adapter.gradient(part, module);
                    Matrix value = adapter.read(part, module);
                    // Along the gradient itself, where the slope is its norm.
                    double norm = norm(gradient);
                    double step = 1e-2 / norm;
                    adapter.write(part, module, moved(value, gradient, step / norm));
                    double above = adapted.gradients(batch).meanLoss();
                    adapter.write(part, module, moved(value, gradient, -step / norm));
                    double below = adapted.gradients(batch).meanLoss();
                    adapter.write(part, module, value);
                    assertThat((above - below) / (2 * step))
                            .as("%s of %s", part, module)
                            .isCloseTo(norm, within(0.01 * norm));
                }
            }
        }
    }

    @Test
    void masksDropTheirShareAndKeepTheMean() {
        double dropout = 0.25;
        try (TrainableAdapter adapter = adapter(withDropout(dropout), MATRICES);
                NativeMemory memory = new NativeMemory()) {
            INDArray mask = memory.floats(200, 100);
            INDArray again = memory.floats(200, 100);
            adapter.noiseSeed(4);
            adapter.fillNoise(1, "mlp.up_proj.lora_dropout", mask);
            adapter.fillNoise(1, "mlp.up_proj.lora_dropout", again);
            assertThat(again).isEqualTo(mask);
            int dropped = 0;
            for (float value : mask.ravel().toFloatVector()) {
                dropped += value == 0 ? 1 : 0;
                assertThat(value).isIn(0f, (float) (1 / (1 - dropout)));
            }
            // Five standard deviations.
            assertThat(dropped).isBetween(4_690, 5_310);
            adapter.fillNoise(0, "mlp.up_proj.lora_dropout", again);
            assertThat(again).isNotEqualTo(mask);
            adapter.fillNoise(1, "mlp.gate_proj.lora_dropout", again);
            assertThat(again).isNotEqualTo(mask);
        }
    }

    @Test
    void readsWhatWasWrittenAndRefusesOtherShapes() {
        try (TrainableAdapter adapter = adapter(state.config(), MATRICES)) {
            adapter.load(state);
            assertThat(adapter.read(Part.A, MODULE))
                    .isEqualTo(state.pair(MODULE).a());
            assertThatThrownBy(() -> adapter.write(Part.A, MODULE, Matrix.zeros(1, 2)))
                    .hasMessageContaining("A of " + MODULE + ": [1, 2], wanted 4 x 48");
            assertThatThrownBy(() -> adapter.read(Part.A_DIRECTION, MODULE)).hasMessageContaining("not adapted");
        }
    }

    private TrainableAdapter adapter(LoraConfig config, Set<Part> trained) {
        return new TrainableAdapter(model.config(), config, trained, MagnitudeAxis.ROW);
    }

    private LoraConfig withDropout(double dropout) {
        LoraConfig config = state.config();
        return new LoraConfig(
                config.rank(),
                config.alpha(),
                config.targets(),
                dropout,
                config.rsLora(),
                new TreeMap<>(config.rankPattern()),
                Map.copyOf(config.alphaPattern()));
    }

    private static Matrix moved(Matrix from, Matrix along, double by) {
        Matrix moved = from.copy();
        for (int i = 0; i < moved.values().length; i++) {
            moved.values()[i] += (float) (by * along.values()[i]);
        }
        return moved;
    }

    private static double norm(Matrix matrix) {
        double squares = 0;
        for (float value : matrix.values()) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares);
    }

    /** Tokens are generated without the graph; what it makes of the variables must be what the additions say. */
    @Test
    void generatesByItsValuesWholeOrInPartsAsTheyAre() {
        int[][] prompts = {{1, 2, 3}, {4, 5, 6, 7, 8}};
        int steps = 12;
        for (MagnitudeAxis axis : MagnitudeAxis.values()) {
            for (Set<Part> trained : List.of(Set.<Part>of(), EnumSet.of(Part.A_DIRECTION, Part.B_MAGNITUDE))) {
                try (TrainableAdapter adapter = new TrainableAdapter(model.config(), state.config(), trained, axis);
                        AdaptedModel adapted = model.with(adapter)) {
                    adapter.load(state);
                    if (!trained.isEmpty()) {
                        // Free directions have any length.
                        Matrix direction = adapter.read(Part.A_DIRECTION, MODULE);
                        for (int i = 0; i < direction.values().length; i++) {
                            direction.values()[i] *= 1 + i % 3;
                        }
                        adapter.write(Part.A_DIRECTION, MODULE, direction);
                    }
                    int[][] generated = adapted.generate(GenerationRequest.greedy(prompts, steps, Set.of()));
                    for (int row = 0; row < prompts.length; row++) {
                        int length = prompts[row].length;
                        int[] text = Arrays.copyOf(prompts[row], length + steps);
                        System.arraycopy(generated[row], 0, text, length, steps);
                        float[][] logits = adapted.logits(TokenBatch.of(new int[][] {text}))[0];
                        for (int step = 0; step < steps; step++) {
                            float[] before = logits[length + step - 1];
                            float[] sorted = before.clone();
                            Arrays.sort(sorted);
                            assertThat(before[generated[row][step]])
                                    .isCloseTo(sorted[sorted.length - 1], within(1e-4f));
                        }
                    }
                }
            }
        }
    }
}
