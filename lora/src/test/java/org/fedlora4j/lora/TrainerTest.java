package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.Adapter;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
class TrainerTest {
    private static final AdamW.Settings SETTINGS = AdamW.Settings.of(1e-2, 0.01);
    private static final String MODULE = "model.layers.0.self_attn.v_proj";

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

    /** What SmolLM2's 20 golden steps do by hand is what a trainer does, bit for bit. */
    @Test
    void stepsAreGradientsAndAdamW() {
        Set<Part> parts = EnumSet.of(Part.A, Part.B);
        try (Trainer trainer = trainer(parts, MagnitudeStep.ADDITIVE);
                TrainableAdapter adapter =
                        new TrainableAdapter(model.config(), state.config(), parts, MagnitudeAxis.ROW);
                AdaptedModel adapted = model.with(adapter)) {
            trainer.start(state, SETTINGS, 1);
            adapter.load(state);
            AdamW optimizer = new AdamW(SETTINGS);
            for (int step = 0; step < 3; step++) {
                assertThat(trainer.step(batch)).isEqualTo(adapted.gradients(batch));
                SortedMap<String, Matrix> values = new TreeMap<>();
                SortedMap<String, Matrix> gradients = new TreeMap<>();
                for (String module : adapter.modules()) {
                    for (Part part : parts) {
                        values.put(part + module, adapter.read(part, module));
                        gradients.put(part + module, adapter.gradient(part, module));
                    }
                }
                optimizer.step(values, gradients);
                for (String module : adapter.modules()) {
                    for (Part part : parts) {
                        adapter.write(part, module, AdapterState.get(values, part + module));
                        assertThat(value(trainer, part, module)).isEqualTo(adapter.read(part, module));
                    }
                }
            }
        }
    }

    static Stream<Set<Part>> subsets() {
        return Stream.of(
                EnumSet.of(Part.A),
                EnumSet.of(Part.B),
                EnumSet.of(Part.A_DIRECTION),
                EnumSet.of(Part.A_MAGNITUDE),
                EnumSet.of(Part.B_DIRECTION),
                EnumSet.of(Part.B_MAGNITUDE),
                EnumSet.of(Part.A_DIRECTION, Part.B_MAGNITUDE),
                EnumSet.of(Part.A, Part.B_MAGNITUDE),
                EnumSet.of(Part.A_DIRECTION, Part.A_MAGNITUDE, Part.B_DIRECTION, Part.B_MAGNITUDE));
    }

    @ParameterizedTest
    @MethodSource("subsets")
    void trainsItsPartsAndLowersTheLoss(Set<Part> parts) {
        AdapterState before = copy(state);
        try (Trainer trainer = trainer(parts, MagnitudeStep.MULTIPLICATIVE)) {
            trainer.start(state, SETTINGS, 1);
            double first = trainer.step(batch).meanLoss();
            double last = first;
            for (int step = 0; step < 4; step++) {
                last = trainer.step(batch).meanLoss();
            }
            assertThat(last).isLessThan(first);
            assertThat(trainer.trained().keySet()).isEqualTo(parts);
            for (Part part : parts) {
                Matrix value = value(trainer, part, MODULE);
                assertThat(value).isNotEqualTo(initial(part));
                if (part.isDirection()) {
                    for (float norm : Decomposition.decompose(value, MagnitudeAxis.ROW)
                            .magnitude()
                            .values()) {
                        assertThat(norm).isCloseTo(1, within(1e-6f));
                    }
                }
            }
        }
        assertThat(state).as("what the training started from").isEqualTo(before);
    }

    /** What is not trained takes part in the model as it was. */
    @Test
    void otherPartsStayBitForBit() {
        for (Part trained : List.of(Part.A_DIRECTION, Part.B_MAGNITUDE)) {
            try (TrainableAdapter adapter =
                            new TrainableAdapter(model.config(), state.config(), Set.of(trained), MagnitudeAxis.ROW);
                    AdaptedModel adapted = model.with(adapter)) {
                adapter.load(state);
                Part sibling = trained.isDirection() ? trained.magnitude() : trained.direction();
                Part whole = trained.matrix() == Part.A ? Part.B : Part.A;
                Matrix siblingBefore = adapter.read(sibling, MODULE);
                adapted.gradients(batch);
                adapter.write(trained, MODULE, adapter.gradient(trained, MODULE));
                adapted.gradients(batch);
                assertThat(adapter.read(sibling, MODULE)).isEqualTo(siblingBefore);
                assertThat(adapter.read(whole, MODULE)).isEqualTo(initial(whole));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(MagnitudeStep.class)
    void aMagnitudeStepByHand(MagnitudeStep kind) {
        Set<Part> parts = Set.of(Part.B_MAGNITUDE);
        double learningRate = 0.05;
        try (Trainer trainer = trainer(parts, kind);
                TrainableAdapter adapter =
                        new TrainableAdapter(model.config(), state.config(), parts, MagnitudeAxis.ROW);
                AdaptedModel adapted = model.with(adapter)) {
            adapter.load(state);
            adapted.gradients(batch);
            Matrix gradient = adapter.gradient(Part.B_MAGNITUDE, MODULE);
            Matrix magnitude = adapter.read(Part.B_MAGNITUDE, MODULE);
            trainer.start(state, AdamW.Settings.of(learningRate, 0), 1);
            trainer.step(batch);
            float[] found = value(trainer, Part.B_MAGNITUDE, MODULE).values();
            for (int i = 0; i < found.length; i++) {
                // Adam's first step is the gradient's sign, but for its epsilon.
                double m = magnitude.values()[i];
                boolean relative = kind == MagnitudeStep.MULTIPLICATIVE;
                double slope = gradient.values()[i] * (relative ? m : 1);
                double move = -learningRate * slope / (Math.abs(slope) + 1e-8);
                assertThat((double) found[i]).isCloseTo(relative ? m * (1 + move) : m + move, within(1e-6));
            }
        }
    }

    @Test
    void startBeginsAnewWhateverWasTrainedBefore() {
        try (Trainer trainer = trainer(EnumSet.of(Part.A_DIRECTION, Part.B_MAGNITUDE), MagnitudeStep.MULTIPLICATIVE)) {
            trainer.start(state, SETTINGS, 1);
            Score score = trainer.step(batch);
            SortedMap<Part, SortedMap<String, Matrix>> trained = trainer.trained();
            trainer.step(batch);
            trainer.start(state, SETTINGS, 1);
            assertThat(trainer.step(batch)).isEqualTo(score);
            assertThat(trainer.trained()).isEqualTo(trained);
        }
    }

    /** Rank 4 cut to 2 with alpha 8 is rank 2 with alpha 4: the same scale, and what is zero stays zero, exactly. */
    @Test
    void anAdapterThatIsCutTrainsAsOneOfThatRank() {
        LoraConfig wide = LoraConfig.of(4, 8, "q_proj", "v_proj", "down_proj");
        LoraConfig narrow = LoraConfig.of(2, 4, "q_proj", "v_proj", "down_proj");
        AdapterState cut = AdapterState.initial(wide, ModuleShape.of(model.config(), wide), 5)
                .cutTo(2);
        AdapterState trained = trained(cut);
        AdapterState expected = trained(narrowed(cut, narrow));

        assertThat(trained.isTrained()).isTrue();
        assertThat(trained).isEqualTo(trained.cutTo(2));
        narrowed(trained, narrow).modules().forEach((module, pair) -> {
            assertThat(pair.a())
                    .as(module)
                    .isNotEqualTo(narrowed(cut, narrow).pair(module).a());
            assertThat(pair.a().values())
                    .as(module)
                    .containsExactly(expected.pair(module).a().values(), within(1e-5f));
            assertThat(pair.b().values())
                    .as(module)
                    .containsExactly(expected.pair(module).b().values(), within(1e-5f));
        });
    }

    private AdapterState trained(AdapterState start) {
        try (Trainer trainer = new Trainer(
                model, start.config(), Set.of(Part.A, Part.B), MagnitudeAxis.ROW, MagnitudeStep.MULTIPLICATIVE)) {
            trainer.start(start, SETTINGS, 1);
            for (int step = 0; step < 5; step++) {
                trainer.step(batch);
            }
            return trainer.trainedAdapter();
        }
    }

    /** Without the components beyond the narrow rank. */
    private static AdapterState narrowed(AdapterState wide, LoraConfig narrow) {
        SortedMap<String, LoraPair> modules = new TreeMap<>();
        wide.modules().forEach((module, pair) -> {
            Matrix b = pair.b().transpose();
            modules.put(
                    module,
                    new LoraPair(
                            firstRows(pair.a(), narrow.rank()),
                            firstRows(b, narrow.rank()).transpose()));
        });
        return new AdapterState(narrow, modules);
    }

    private static Matrix firstRows(Matrix matrix, int rows) {
        return Matrix.of(rows, matrix.columns(), Arrays.copyOf(matrix.values(), rows * matrix.columns()));
    }

    @Test
    void theFrozenModelIsNotMoved() {
        try (AdaptedModel plain = model.with(Adapter.NONE);
                Trainer trainer = trainer(EnumSet.of(Part.A, Part.B), MagnitudeStep.ADDITIVE)) {
            float[][][] before = plain.logits(batch);
            trainer.start(state, SETTINGS, 1);
            trainer.step(batch);
            trainer.step(batch);
            assertThat(plain.logits(batch)).isDeepEqualTo(before);
        }
    }

    private Trainer trainer(Set<Part> parts, MagnitudeStep magnitudeStep) {
        return new Trainer(model, state.config(), parts, MagnitudeAxis.ROW, magnitudeStep);
    }

    private Matrix initial(Part part) {
        Matrix matrix = part.matrix() == Part.A
                ? state.pair(MODULE).a()
                : state.pair(MODULE).b();
        if (part.isMatrix()) {
            return matrix;
        }
        Decomposition.MagnitudeAndDirection split = Decomposition.decompose(matrix, MagnitudeAxis.ROW);
        return part.isDirection() ? split.direction() : split.magnitude();
    }

    private static Matrix value(Trainer trainer, Part part, String module) {
        return AdapterState.get(trainer.trained().getOrDefault(part, new TreeMap<>()), module);
    }

    private static AdapterState copy(AdapterState state) {
        SortedMap<String, LoraPair> modules = new TreeMap<>();
        state.modules()
                .forEach((module, pair) -> modules.put(
                        module, new LoraPair(pair.a().copy(), pair.b().copy())));
        return new AdapterState(state.config(), modules);
    }
}
