package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.exec.Backend;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.weights.ElementType;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What runs on a GPU, here on ND4J's CPU: weights copied, arrays without addresses, no kernel, no oneDNN. Whatever still
 * takes an address on this way throws. It is compared with the way of CPUs.
 */
class DevicePathTest {
    private static final long SEED = 23;

    private final Random random = new Random(SEED);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    /** All that a model makes. */
    private record Made(
            float[][][] logits,
            float[][][] hidden,
            List<Score> scores,
            Score loss,
            Map<String, float[]> gradients,
            int[][] generated) {}

    @ParameterizedTest
    @CsvSource({
        "F32, false, 0, NONE",
        "BF16, true, 0, NONE",
        "BF16, false, 1000000, LAYER",
        "F16, true, 1000000, ATTENTION",
        "F16, false, 0, LAYER"
    })
    void equalsTheWayOfCpus(ElementType type, boolean tied, long residentBytes, Recompute recompute)
            throws IOException {
        LlamaConfig config = config(tied);
        TinyModel.write(folder, config, random, type);
        LanguageModel.Settings settings = new LanguageModel.Settings(residentBytes, 1L << 30, recompute, Precision.F32);
        TokenBatch batch = TinyModel.batch(random, 5, 33, 12);
        Made wanted = make(config, settings, batch);
        try (Backend.Pretence pretence = Backend.pretend(Backend.CUDA)) {
            assertClose(make(config, settings, batch), wanted, 3e-5, 2e-4);
        }
    }

    /** Weights, and what multiplies them, are rounded to 11 bits: a thousandth for each of some products in a row. */
    @ParameterizedTest
    @CsvSource({"F32, false", "F16, true", "BF16, false"})
    void productsOfF16AreClose(ElementType type, boolean tied) throws IOException {
        LlamaConfig config = config(tied);
        TinyModel.write(folder, config, random, type);
        TokenBatch batch = TinyModel.batch(random, 5, 33, 12);
        Made wanted = make(config, LanguageModel.Settings.DEFAULT, batch);
        try (Backend.Pretence pretence = Backend.pretend(Backend.CUDA)) {
            Made found = make(config, LanguageModel.Settings.DEFAULT.withPrecision(Precision.F16), batch);
            assertClose(found, wanted, 1e-2, 2e-2);
            assertThat(found.logits[0][4]).as("rounded at all").isNotEqualTo(wanted.logits[0][4]);
        }
    }

    private static LlamaConfig config(boolean tied) {
        return new LlamaConfig(50, 16, 20, 3, 4, 2, 6, 1e-5, 10_000, new RopeScaling.None(), tied, 256);
    }

    private Made make(LlamaConfig config, LanguageModel.Settings settings, TokenBatch batch) throws IOException {
        try (LanguageModel model = LanguageModel.open(folder, settings);
                LowRankAdapter adapter = new LowRankAdapter(config, new Random(SEED));
                AdaptedModel adapted = model.with(adapter)) {
            adapted.gradients(batch);
            adapted.logits(batch);
            model.plan(adapter, new LlamaGraph.LayerShape(3, 48, 0, true)).poison();
            model.plan(adapter, new LlamaGraph.LayerShape(3, 48, 0, false)).poison();
            Score loss = adapted.gradients(batch);
            return new Made(
                    adapted.logits(batch),
                    adapted.hiddenStates(batch),
                    adapted.score(batch),
                    loss,
                    adapter.gradientValues(),
                    adapted.generate(GenerationRequest.greedy(batch.ids(), 12, Set.of())));
        }
    }

    /** @param outputs and gradients, as a part of the largest value */
    private static void assertClose(Made found, Made wanted, double outputs, double gradients) {
        for (int row = 0; row < wanted.logits.length; row++) {
            assertClose("logits", found.logits[row], wanted.logits[row], outputs);
        }
        for (int layer = 0; layer < wanted.hidden.length; layer++) {
            assertClose("hidden " + layer, found.hidden[layer], wanted.hidden[layer], outputs);
        }
        assertThat(found.loss.meanLoss()).isCloseTo(wanted.loss.meanLoss(), within(outputs));
        assertThat(found.scores).hasSameSizeAs(wanted.scores);
        for (int row = 0; row < wanted.scores.size(); row++) {
            assertThat(found.scores.get(row).meanLoss())
                    .isCloseTo(wanted.scores.get(row).meanLoss(), within(outputs));
        }
        assertThat(found.gradients.keySet()).isEqualTo(wanted.gradients.keySet());
        wanted.gradients.forEach((name, gradient) -> assertClose(
                "gradient of " + name,
                new float[][] {found.gradients.getOrDefault(name, new float[0])},
                new float[][] {gradient},
                gradients));
        if (outputs < 1e-4) {
            assertThat(found.generated).isDeepEqualTo(wanted.generated);
        }
    }

    private static void assertClose(String name, float[][] found, float[][] wanted, double tolerance) {
        double largest = Arrays.stream(wanted)
                .mapToDouble(row -> {
                    double most = 0;
                    for (float value : row) {
                        most = Math.max(most, Math.abs(value));
                    }
                    return most;
                })
                .max()
                .orElseThrow();
        assertThat(largest).as(name).isPositive();
        assertThat(found).as(name).hasSameDimensionsAs(wanted);
        for (int row = 0; row < wanted.length; row++) {
            assertThat(found[row])
                    .as("%s, row %d, seed %d", name, row, SEED)
                    .containsExactly(wanted[row], within((float) (tolerance * largest)));
        }
    }
}
