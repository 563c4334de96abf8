package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.fedlora4j.kernels.LowRank;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Kernel;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.nn.Projection;
import org.fedlora4j.model.weights.ElementType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.autodiff.samediff.SameDiff;

class DecoderTest {
    private static final long SEED = 17;
    private static final int STEPS = 24;

    private final Random random = new Random(SEED);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    /** Kernels against plans, token by token: rows of different lengths, one of which ends early. */
    @ParameterizedTest
    @CsvSource({"4, 4, F32", "4, 2, BF16", "4, 1, F16", "6, 3, F32"})
    void kernelsDoWhatPlansDo(int heads, int keyValueHeads, ElementType type) throws IOException {
        LlamaConfig config = TinyModel.config(3, heads, keyValueHeads);
        TinyModel.write(folder, config, random, type);
        List<TokenBatch> batches = List.of(
                TinyModel.batch(random, 3, 35, 1, 12),
                TinyModel.batch(random, 40, 3, 91),
                TinyModel.batch(random, 2),
                TinyModel.batch(random, 17));
        try (LanguageModel model = LanguageModel.open(folder);
                LowRankAdapter adapter = new LowRankAdapter(config, random)) {
            for (Adapter each : new Adapter[] {Adapter.NONE, adapter}) {
                for (TokenBatch batch : batches) {
                    compare(model, each, batch, 2e-5);
                }
            }
        }
    }

    @Test
    void longPromptsRunThroughAPlan() throws IOException {
        LlamaConfig config = TinyModel.config(2, 4, 2);
        TinyModel.write(folder, config, random);
        TokenBatch prompts = TinyModel.batch(random, KernelDecoder.SHORT, 70);
        try (LanguageModel model = LanguageModel.open(folder)) {
            compare(model, Adapter.NONE, prompts, 2e-5);
        }
    }

    /** In the type that products have here by default; where that is bfloat16, x is rounded in both, elsewhere. */
    @Test
    void kernelsDoWhatPlansDoInThePrecisionOfThisMachine() throws IOException {
        LlamaConfig config = TinyModel.config(2, 4, 2);
        TinyModel.write(folder, config, random, ElementType.BF16);
        Precision precision = Precision.choose("auto").precision();
        try (LanguageModel model = LanguageModel.open(folder, LanguageModel.Settings.DEFAULT.withPrecision(precision));
                LowRankAdapter adapter = new LowRankAdapter(config, random)) {
            compare(model, adapter, TinyModel.batch(random, 3, 35, 20), precision == Precision.F32 ? 2e-5 : 3e-2);
        }
    }

    private void compare(LanguageModel model, Adapter adapter, TokenBatch prompts, double tolerance) {
        int batch = prompts.rows();
        DecodingMemory memory = new DecodingMemory(model.config(), batch, prompts.longest() + STEPS);
        memory.poison();
        try (Decoder fast = new KernelDecoder(model, adapter, prompts, memory, 0);
                Decoder naive = new PlanDecoder(model, adapter, prompts, STEPS)) {
            assertClose(fast.start(), naive.start(), tolerance);
            for (int step = 0; step < STEPS; step++) {
                int ended = step < 5 ? batch : 1;
                int[] rows =
                        IntStream.range(0, batch).filter(row -> row != ended).toArray();
                int[] tokens = random.ints(rows.length, 0, 50).toArray();
                assertClose(fast.next(rows, tokens), naive.next(rows, tokens), tolerance);
            }
        }
    }

    @Test
    void kernelsDecodeWhereTheyCan() throws IOException {
        LlamaConfig config = TinyModel.config(1, 2, 1);
        TinyModel.write(folder, config, random);
        Adapter unknown = new Adapter() {
            @Override
            public Projection adapt(
                    SameDiff graph, int layer, String module, Projection frozen, int rows, boolean training) {
                return frozen;
            }
        };
        Adapter known = new Adapter() {
            @Override
            public Optional<Map<String, LowRank>> additions(int layer) {
                return Optional.of(Map.of());
            }
        };
        TokenBatch prompts = TinyModel.batch(random, 3);
        try (LanguageModel model = LanguageModel.open(folder);
                Decoder plans = Decoder.of(model, unknown, prompts, 2);
                Decoder kernels = Decoder.of(model, known, prompts, 2)) {
            assertThat(plans).isInstanceOf(PlanDecoder.class);
            assertThat(kernels).isInstanceOf(Kernel.available() ? KernelDecoder.class : PlanDecoder.class);
        }
    }

    private static void assertClose(float[][] found, float[][] wanted, double tolerance) {
        assertThat(found).hasSameDimensionsAs(wanted);
        for (int row = 0; row < found.length; row++) {
            for (int i = 0; i < found[row].length; i++) {
                assertThat((double) found[row][i])
                        .as("row %d, token %d, seed %d", row, i, SEED)
                        .isCloseTo(wanted[row][i], offset(tolerance * (1 + Math.abs(wanted[row][i]))));
            }
        }
    }
}
