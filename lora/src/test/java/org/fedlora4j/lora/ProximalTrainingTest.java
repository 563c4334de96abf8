package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Training that is pulled toward shared values, which are not where it starts. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
class ProximalTrainingTest {
    private static final long SEED = 8;
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

    static Stream<Arguments> kinds() {
        return Stream.of(
                Arguments.of(Part.A, MagnitudeStep.MULTIPLICATIVE),
                Arguments.of(Part.A_DIRECTION, MagnitudeStep.MULTIPLICATIVE),
                Arguments.of(Part.B_MAGNITUDE, MagnitudeStep.MULTIPLICATIVE),
                Arguments.of(Part.B_MAGNITUDE, MagnitudeStep.ADDITIVE));
    }

    /** With an epsilon as large as the learning rate, Adam's first step is nearly -g, so it shows the gradient itself. */
    @ParameterizedTest
    @MethodSource("kinds")
    void theGradientHasThePull(Part part, MagnitudeStep kind) {
        double strength = 0.3;
        double rate = 100;
        try (Trainer trainer = trainer(part, kind);
                TrainableAdapter adapter =
                        new TrainableAdapter(model.config(), state.config(), Set.of(part), MagnitudeAxis.ROW);
                AdaptedModel adapted = model.with(adapter)) {
            adapter.load(state);
            adapted.gradients(batch);
            Matrix start = adapter.read(part, MODULE);
            Matrix slope = adapter.gradient(part, MODULE);
            SortedMap<Part, SortedMap<String, Matrix>> shared = shared(part, adapter);
            Matrix target = value(shared, part);
            Matrix expected = start.copy();
            for (int i = 0; i < expected.values().length; i++) {
                double x = start.values()[i];
                double t = target.values()[i];
                boolean factor = part.isMagnitude() && kind == MagnitudeStep.MULTIPLICATIVE;
                // By the chain rule, for a factor f = x (1 + delta) / t: x dL/dx + strength (f - 1) x / t
                double g = factor
                        ? x * slope.values()[i] + strength * (x / t - 1) * x / t
                        : slope.values()[i] + strength * (x - t);
                double move = -rate * g / (Math.abs(g) + rate);
                expected.values()[i] = (float) (factor ? x * (1 + move) : x + move);
            }

            trainer.start(state, new AdamW.Settings(rate, 0.9, 0.999, rate, 0), 1);
            trainer.pullTowards(shared, strength);
            trainer.step(batch);
            Matrix wanted = part.isDirection() ? Decomposition.normalize(expected, MagnitudeAxis.ROW) : expected;
            assertThat(value(trainer.trained(), part).values())
                    .as("seed %d", SEED)
                    .containsExactly(wanted.values(), within(2e-6f));
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void aStrongPullEndsAtTheSharedValues(Part part, MagnitudeStep kind) {
        try (Trainer trainer = trainer(part, kind);
                TrainableAdapter adapter =
                        new TrainableAdapter(model.config(), state.config(), Set.of(part), MagnitudeAxis.ROW)) {
            adapter.load(state);
            SortedMap<Part, SortedMap<String, Matrix>> shared = shared(part, adapter);
            trainer.start(state, AdamW.Settings.of(0.1, 0), 1);
            trainer.pullTowards(shared, 1e4);
            for (int step = 0; step < 100; step++) {
                trainer.step(batch, LearningRateSchedule.LINEAR.factor(step, 100));
            }
            assertThat(distance(adapter.read(part, MODULE), value(shared, part)))
                    .isGreaterThan(0.1);
            assertThat(distance(value(trainer.trained(), part), value(shared, part)))
                    .as("seed %d", SEED)
                    .isLessThan(0.01);
        }
    }

    /** A row of B that is 0 has no factor, and stays 0. */
    @Test
    void zeroMagnitudesStayFinite() {
        SortedMap<String, LoraPair> modules = new TreeMap<>();
        state.modules().forEach((module, pair) -> {
            Matrix b = pair.b().copy();
            Arrays.fill(b.values(), 0, b.columns(), 0);
            modules.put(module, new LoraPair(pair.a(), b));
        });
        AdapterState zeroRow = new AdapterState(state.config(), modules);
        SortedMap<String, Matrix> shared = new TreeMap<>();
        DecomposedAdapter.of(zeroRow, MagnitudeAxis.ROW)
                .modules()
                .forEach((module, pair) -> shared.put(module, pair.bMagnitude()));
        try (Trainer trainer = trainer(Part.B_MAGNITUDE, MagnitudeStep.MULTIPLICATIVE)) {
            trainer.start(zeroRow, AdamW.Settings.of(0.1, 0), 1);
            trainer.pullTowards(new TreeMap<>(Map.of(Part.B_MAGNITUDE, shared)), 10);
            trainer.step(batch);
            trainer.step(batch);
            Matrix trained = value(trainer.trained(), Part.B_MAGNITUDE);
            assertThat(trained.isFinite()).isTrue();
            assertThat(trained.values()[0]).isZero();
        }
    }

    @Test
    void aFactorOfOneOnTheLearningRateChangesNothing() {
        try (Trainer plain = trainer(Part.B_MAGNITUDE, MagnitudeStep.MULTIPLICATIVE);
                Trainer scheduled = trainer(Part.B_MAGNITUDE, MagnitudeStep.MULTIPLICATIVE)) {
            plain.start(state, AdamW.Settings.of(0.1, 0.01), 1);
            scheduled.start(state, AdamW.Settings.of(0.1, 0.01), 1);
            plain.step(batch);
            scheduled.step(batch, 1);
            assertThat(scheduled.trained()).isEqualTo(plain.trained());
            Matrix before = value(scheduled.trained(), Part.B_MAGNITUDE);
            scheduled.step(batch, 0);
            assertThat(value(scheduled.trained(), Part.B_MAGNITUDE)).isEqualTo(before);
        }
    }

    private Trainer trainer(Part part, MagnitudeStep magnitudeStep) {
        return new Trainer(model, state.config(), Set.of(part), MagnitudeAxis.ROW, magnitudeStep);
    }

    /** Other values of the part: changed by up to a half, directions to unit length again. */
    private static SortedMap<Part, SortedMap<String, Matrix>> shared(Part part, TrainableAdapter start) {
        Random random = new Random(SEED);
        SortedMap<String, Matrix> values = new TreeMap<>();
        for (String module : start.modules()) {
            Matrix value = start.read(part, module);
            for (int i = 0; i < value.values().length; i++) {
                value.values()[i] *= 0.5f + random.nextFloat();
            }
            values.put(module, part.isDirection() ? Decomposition.normalize(value, MagnitudeAxis.ROW) : value);
        }
        return new TreeMap<>(Map.of(part, values));
    }

    private static Matrix value(SortedMap<Part, SortedMap<String, Matrix>> values, Part part) {
        return AdapterState.get(values.getOrDefault(part, new TreeMap<>()), MODULE);
    }

    /** The largest difference, relative to the largest value. */
    private static double distance(Matrix left, Matrix right) {
        double difference = 0;
        double largest = 0;
        for (int i = 0; i < left.values().length; i++) {
            difference = Math.max(difference, Math.abs(left.values()[i] - right.values()[i]));
            largest = Math.max(largest, Math.abs(right.values()[i]));
        }
        return difference / largest;
    }
}
