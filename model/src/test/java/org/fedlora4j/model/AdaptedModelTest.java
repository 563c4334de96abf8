package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Precision;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AdaptedModelTest {
    private static final LlamaConfig CONFIG = TinyModel.config(3, 4, 2);
    private static final long AMPLE = 1L << 30;

    private final Random random = new Random(7);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        TinyModel.write(folder, CONFIG, random);
    }

    @ParameterizedTest
    @EnumSource(Recompute.class)
    void whatStoodInTheBuffersDoesNotMatter(Recompute recompute) throws IOException {
        TokenBatch batch = TinyModel.batch(random, 9, 4);
        try (LanguageModel model = open(AMPLE, recompute);
                LowRankAdapter adapter = new LowRankAdapter(CONFIG, random);
                AdaptedModel adapted = model.with(adapter)) {
            Score score = adapted.gradients(batch);
            Map<String, float[]> gradients = adapter.gradientValues();
            List<Score> scores = adapted.score(batch);

            model.plan(adapter, new LlamaGraph.LayerShape(2, 32, 0, true)).poison();
            model.plan(adapter, new LlamaGraph.LayerShape(2, 32, 0, false)).poison();

            assertThat(adapted.gradients(batch)).isEqualTo(score);
            assertSame(adapter.gradientValues(), gradients);
            assertThat(adapted.score(batch)).isEqualTo(scores);
        }
    }

    @Test
    void computingTwiceGivesTheSameGradients() throws IOException {
        TokenBatch batch = TinyModel.batch(random, 5, 12, 7);
        try (LowRankAdapter adapter = new LowRankAdapter(CONFIG, random);
                LanguageModel keeping = open(AMPLE, Recompute.NONE);
                AdaptedModel kept = keeping.with(adapter);
                LanguageModel recomputing = open(AMPLE, Recompute.LAYER);
                AdaptedModel recomputed = recomputing.with(adapter)) {
            Score score = kept.gradients(batch);
            Map<String, float[]> gradients = adapter.gradientValues();
            assertThat(recomputed.gradients(batch)).isEqualTo(score);
            assertSame(adapter.gradientValues(), gradients);
            assertThat(gradients.values())
                    .allSatisfy(values -> assertThat(values).doesNotContain(Float.NaN, 0f));
        }
    }

    @Test
    void whatIsComputedTwiceIsNotKept() throws IOException {
        long all = keptBytes(LanguageModel.Settings.DEFAULT);
        long withoutAttention = keptBytes(LanguageModel.Settings.DEFAULT.withRecompute(Recompute.ATTENTION));
        long ofOneLayer = keptBytes(LanguageModel.Settings.DEFAULT.withRecompute(Recompute.LAYER));
        assertThat(withoutAttention).isPositive().isLessThan(all);
        assertThat(ofOneLayer * CONFIG.layers()).isEqualTo(all);
    }

    private long keptBytes(LanguageModel.Settings settings) throws IOException {
        try (LanguageModel model = LanguageModel.open(folder, settings);
                LowRankAdapter adapter = new LowRankAdapter(CONFIG, random)) {
            return model.plan(adapter, new LlamaGraph.LayerShape(2, 32, 0, true))
                    .keptBytes();
        }
    }

    @Test
    void plansBeyondTheirMemoryAreMadeAgain() throws IOException {
        List<TokenBatch> batches =
                List.of(TinyModel.batch(random, 5), TinyModel.batch(random, 40), TinyModel.batch(random, 3, 6));
        try (LowRankAdapter adapter = new LowRankAdapter(CONFIG, random);
                LanguageModel large = open(AMPLE, Recompute.NONE);
                AdaptedModel ample = large.with(adapter);
                LanguageModel small = open(1, Recompute.NONE);
                AdaptedModel scarce = small.with(adapter)) {
            for (int pass = 0; pass < 2; pass++) {
                for (TokenBatch batch : batches) {
                    Score score = ample.gradients(batch);
                    Map<String, float[]> gradients = adapter.gradientValues();
                    assertThat(scarce.gradients(batch)).isEqualTo(score);
                    assertSame(adapter.gradientValues(), gradients);
                }
            }
            LlamaGraph.LayerShape first = new LlamaGraph.LayerShape(1, 32, 0, true);
            BatchPlan plan = small.plan(adapter, first);
            assertThat(small.plan(adapter, first)).isSameAs(plan);
            batches.forEach(scarce::gradients);
            assertThat(small.plan(adapter, first)).isNotSameAs(plan);
        }
    }

    @Test
    void aRowsScoreIsItsOwn() throws IOException {
        TokenBatch batch = TinyModel.batch(random, 5, 33, 1, 12);
        try (LanguageModel model = open(AMPLE, Recompute.NONE);
                AdaptedModel plain = model.with(Adapter.NONE)) {
            List<Score> together = plain.score(batch);
            for (int row = 0; row < batch.rows(); row++) {
                int[][] alone = {batch.ids()[row]};
                Score score = plain.score(new TokenBatch(alone, alone, 0)).get(0);
                assertThat(together.get(row).loss()).isCloseTo(score.loss(), within(1e-4));
                assertThat(together.get(row).targets()).isEqualTo(alone[0].length - 1);
                assertThat(together.get(row).correct()).isEqualTo(score.correct());
            }
        }
    }

    /** The cache's shortcut against running the whole text again for every token. */
    @Test
    void generationIsTheLargestLogitAgainAndAgain() throws IOException {
        TokenBatch prompts = TinyModel.batch(random, 3, 35, 11);
        int steps = 40;
        try (LanguageModel model = open(AMPLE, Recompute.NONE);
                LowRankAdapter adapter = new LowRankAdapter(CONFIG, random);
                AdaptedModel adapted = model.with(adapter)) {
            int[][] generated = adapted.generate(GenerationRequest.greedy(prompts.ids(), steps, Set.of()));
            for (int row = 0; row < prompts.rows(); row++) {
                assertThat(generated[row]).hasSize(steps);
                int length = prompts.ids()[row].length;
                int[] text = Arrays.copyOf(prompts.ids()[row], length + steps);
                System.arraycopy(generated[row], 0, text, length, steps);
                float[][] logits = adapted.logits(TokenBatch.of(new int[][] {text}))[0];
                for (int step = 0; step < steps; step++) {
                    assertThat(generated[row][step]).isEqualTo(largest(logits[length + step - 1]));
                }
            }
            int end = generated[1][4];
            int[] cut = adapted.generate(GenerationRequest.greedy(prompts.ids(), steps, Set.of(end)))[1];
            assertThat(cut).doesNotContain(end).hasSizeLessThanOrEqualTo(4);
            assertThat(cut).isEqualTo(Arrays.copyOf(generated[1], cut.length));
        }
    }

    @Test
    void aRowsSampledTextIsItsOwnAndTheSeeds() throws IOException {
        int[][] prompts = TinyModel.batch(random, 3, 35, 11).ids();
        try (LanguageModel model = open(AMPLE, Recompute.NONE);
                AdaptedModel plain = model.with(Adapter.NONE)) {
            int[][] together = sample(plain, 5, prompts);
            assertThat(sample(plain, 5, prompts)).isDeepEqualTo(together);
            assertThat(sample(plain, 5, prompts[0])[0]).isEqualTo(together[0]);
            assertThat(sample(plain, 6, prompts)[0]).isNotEqualTo(together[0]);
        }
    }

    @Test
    void aListenerSeesEachTokenAndMayEndARow() throws IOException {
        int[][] prompts = TinyModel.batch(random, 3, 35).ids();
        try (LanguageModel model = open(AMPLE, Recompute.NONE);
                AdaptedModel plain = model.with(Adapter.NONE)) {
            List<List<Integer>> seen = List.of(new ArrayList<>(), new ArrayList<>());
            int[][] generated =
                    plain.generate(new GenerationRequest(prompts, 9, Set.of(), Sampling.GREEDY, (row, token) -> {
                        seen.get(row).add(token);
                        return row == 1 || seen.get(row).size() < 4;
                    }));
            assertThat(generated[0]).hasSize(4);
            assertThat(generated[1]).hasSize(9);
            for (int row = 0; row < 2; row++) {
                assertThat(seen.get(row))
                        .isEqualTo(Arrays.stream(generated[row]).boxed().toList());
            }
        }
    }

    private static int[][] sample(AdaptedModel model, long seed, int[]... prompts) {
        return model.generate(new GenerationRequest(
                prompts, 20, Set.of(), new Sampling(1, 0.9, seed), GenerationRequest.Listener.NONE));
    }

    @Test
    void refusesIdsOutsideTheVocabularyAndBatchesWithoutTargets() throws IOException {
        try (LanguageModel model = open(AMPLE, Recompute.NONE);
                AdaptedModel plain = model.with(Adapter.NONE)) {
            TokenBatch outside = TokenBatch.of(new int[][] {{1, 2}, {3, 50}});
            assertThatThrownBy(() -> plain.logits(outside))
                    .hasMessage("token id 50 at row 1, position 1; wanted 0 to 49");
            assertThatThrownBy(() -> plain.gradients(TokenBatch.of(new int[][] {{1, 2}})))
                    .hasMessage("a batch without targets has no loss");
            assertThatThrownBy(() -> GenerationRequest.greedy(new int[][] {{1}}, 0, Set.of()))
                    .hasMessageContaining("wanted at least 1");
        }
    }

    private LanguageModel open(long planBytes, Recompute recompute) throws IOException {
        return LanguageModel.open(folder, new LanguageModel.Settings(0, planBytes, recompute, Precision.F32));
    }

    private static void assertSame(Map<String, float[]> found, Map<String, float[]> wanted) {
        assertThat(found.keySet()).isEqualTo(wanted.keySet());
        found.forEach((name, values) -> assertThat(values).as(name).isEqualTo(wanted.get(name)));
    }

    private static int largest(float[] logits) {
        int largest = 0;
        for (int token = 1; token < logits.length; token++) {
            largest = logits[token] > logits[largest] ? token : largest;
        }
        return largest;
    }
}
