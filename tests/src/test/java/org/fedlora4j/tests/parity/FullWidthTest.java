package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.fedlora4j.benchmark.verify.Tolerance;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.lora.TrainableAdapter;
import org.fedlora4j.model.AdaptedModel;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.TokenBatch;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.weights.ElementType;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two layers of LLaMA2-7B's width, and many random ones of small widths, beside {@link NaiveLlama}: logits, loss, and every
 * element of the gradients of A and B. The reference's own backward pass is checked with finite differences at small width;
 * these alone would give one number for two forward passes, and hide a wrong element among right ones.
 *
 * <p>Differences are in L2 norm, relative to the reference's, of all gradients together. How much float32's rounding matters
 * to a model is measured with the reference: every weight is moved by 2^-24 of itself, up or down at random, which moves a sum
 * of n products as much as rounding it once; in small models, where it may hardly do so by chance, four times over. Summing in float32 rounds n times, a random walk whose error is sqrt(n) times that
 * (Higham and Mary, "A new approach to probabilistic rounding error analysis", 2019); so the tolerance is sqrt(n) times what
 * the reference moved, with n the longest sum. What was found is printed.
 */
class FullWidthTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    /** A model, its reference, and tokens. */
    private record Case(LlamaConfig config, LoraConfig lora, AdapterState adapter, SeededWeights weights, int[] ids) {
        static Case of(LlamaConfig config, int tokens, long seed) {
            Random random = new Random(seed);
            LoraConfig lora = LoraConfig.of(Math.min(8, config.keyValueSize()), 16, "q_proj", "v_proj");
            SortedMap<String, LoraPair> modules = new TreeMap<>();
            for (Map.Entry<String, ModuleShape> module : new TreeMap<>(ModuleShape.of(config, lora)).entrySet()) {
                ModuleShape shape = module.getValue();
                Matrix a = uniform(lora.rank(), shape.in(), 1 / Math.sqrt(shape.in()), random);
                Matrix b = uniform(shape.out(), lora.rank(), 0.05, random);
                modules.put(module.getKey(), new LoraPair(a, b));
            }
            int[] ids = random.ints(tokens, 0, config.vocabularySize()).toArray();
            return new Case(config, lora, new AdapterState(lora, modules), new SeededWeights(config, seed), ids);
        }

        private static Matrix uniform(int rows, int columns, double bound, Random random) {
            Matrix matrix = Matrix.zeros(rows, columns);
            for (int i = 0; i < matrix.values().length; i++) {
                matrix.values()[i] = (float) (bound * (2 * random.nextDouble() - 1));
            }
            return matrix;
        }

        Map<String, NaiveLora> naiveAdapters() {
            Map<String, NaiveLora> adapters = new LinkedHashMap<>();
            adapter.modules().forEach((module, pair) -> adapters.put(module, new NaiveLora(pair, lora.scale(module))));
            return adapters;
        }

        /** Terms of the longest sum. */
        int terms() {
            return Math.max(config.hiddenSize(), config.intermediateSize());
        }
    }

    @Test
    void twoLayersOfSevenBillionsWidth() throws IOException {
        LlamaConfig config =
                new LlamaConfig(512, 4096, 11008, 2, 32, 32, 128, 1e-5, 10_000, new RopeScaling.None(), false, 4096);
        compare("7B's width", Case.of(config, 8, 1), ElementType.BF16, 1);
    }

    /** So wide that bf16 rounds queries and keys once, with keys that eight heads share. */
    @Test
    void groupedHeadsOfALargeModelInBf16() throws IOException {
        if (!Bf16.isRefused()) {
            LlamaConfig config =
                    new LlamaConfig(512, 2048, 1024, 2, 16, 2, 128, 1e-5, 10_000, new RopeScaling.None(), false, 4096);
            Case wanted = Case.of(config, 16, 2);
            wanted.weights.write(folder, ElementType.BF16);
            Errors found = Outcome.of(wanted, wanted.weights).errors(computed(wanted, Bf16.SETTINGS));
            Tolerance tolerance = Tolerance.of(Precision.BF16);
            assertThat(found.logits).as("logits").isLessThanOrEqualTo(tolerance.outputs());
            assertThat(found.loss).as("loss").isLessThanOrEqualTo(tolerance.outputs());
            assertThat(found.gradients).as("gradients").isLessThanOrEqualTo(tolerance.gradients());
        }
    }

    @RepeatedTest(10)
    void randomModelsOfSmallWidth() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        compare("seed " + seed, small(random), random.nextBoolean() ? ElementType.BF16 : ElementType.F32, 4);
    }

    /** Central differences of fourth order: in float64, with steps of 2e-5, the fifth derivative and rounding leave some 1e-10. */
    @RepeatedTest(10)
    void theReferencesGradientsAreThoseOfItsLoss() {
        long seed = new Random().nextLong();
        System.out.println("finite differences: seed " + seed);
        Random random = new Random(seed);
        Case small = small(random);
        Map<String, NaiveLora> adapters = small.naiveAdapters();
        NaiveLlama reference = new NaiveLlama(small.config, small.weights, adapters);
        reference.gradients(small.ids);
        adapters.forEach((module, adapter) -> {
            checkAlongRandomDirection(reference, small.ids, adapter.a, adapter.aGradient, random, module + " A");
            checkAlongRandomDirection(reference, small.ids, adapter.b, adapter.bGradient, random, module + " B");
        });
    }

    private static void checkAlongRandomDirection(
            NaiveLlama reference, int[] ids, double[][] matrix, double[][] gradient, Random random, String name) {
        double step = 2e-5;
        double[][] direction = new double[matrix.length][];
        double expected = 0;
        for (int row = 0; row < matrix.length; row++) {
            direction[row] = random.doubles(matrix[row].length, -1, 1).toArray();
            expected += NaiveMath.dot(gradient[row], direction[row]);
        }
        double[] losses = new double[5];
        move(matrix, direction, -3 * step);
        for (int i = 0; i < losses.length; i++) {
            move(matrix, direction, step);
            losses[i] = reference.loss(ids);
        }
        move(matrix, direction, -2 * step);
        double found = (losses[0] - 8 * losses[1] + 8 * losses[3] - losses[4]) / (12 * step);
        assertThat(expected).as(name).isCloseTo(found, within(1e-8)).isNotZero();
    }

    private static void move(double[][] matrix, double[][] direction, double step) {
        for (int row = 0; row < matrix.length; row++) {
            NaiveMath.addScaled(matrix[row], direction[row], step);
        }
    }

    /** Grouped or single key-value heads, tied or not, one to three layers, 8 to 40 tokens. */
    private static Case small(Random random) {
        int keyValueHeads = 1 + random.nextInt(3);
        int headSize = 2 * (1 + random.nextInt(8));
        LlamaConfig config = new LlamaConfig(
                20 + random.nextInt(100),
                8 * (1 + random.nextInt(8)),
                8 * (1 + random.nextInt(16)),
                1 + random.nextInt(3),
                keyValueHeads * (1 + random.nextInt(3)),
                keyValueHeads,
                headSize,
                random.nextBoolean() ? 1e-5 : 1e-6,
                random.nextBoolean() ? 1e4 : 5e5,
                new RopeScaling.None(),
                random.nextBoolean(),
                256);
        return Case.of(config, 8 + random.nextInt(33), random.nextLong());
    }

    private void compare(String name, Case wanted, ElementType type, int draws) throws IOException {
        wanted.weights.write(folder, type);
        Outcome reference = Outcome.of(wanted, wanted.weights);
        Errors allowed = reference.moved(wanted, draws).times(Math.sqrt(wanted.terms()));
        Errors found = reference.errors(computed(wanted, LanguageModel.Settings.DEFAULT));
        System.out.printf(
                Locale.ROOT,
                "%s, %d wide, %d tokens, %s: logits off by %.1e of %.1e, loss %.1e of %.1e, gradients %.1e of %.1e%n",
                name,
                wanted.config.hiddenSize(),
                wanted.ids.length,
                type,
                found.logits,
                allowed.logits,
                found.loss,
                allowed.logits,
                found.gradients,
                allowed.gradients);
        assertThat(found.logits).as("logits, " + name).isLessThanOrEqualTo(allowed.logits);
        // By chance it may hardly move, but it is no further off than the logits that it is made of.
        assertThat(found.loss).as("loss, " + name).isLessThanOrEqualTo(allowed.logits);
        assertThat(found.gradients).as("gradients, " + name).isLessThanOrEqualTo(allowed.gradients);
    }

    /** What our model makes of the checkpoint in the folder. */
    private Outcome computed(Case wanted, LanguageModel.Settings settings) throws IOException {
        TokenBatch batch = new TokenBatch(new int[][] {wanted.ids}, new int[][] {wanted.ids}, 0);
        try (LanguageModel model = LanguageModel.open(folder, settings);
                TrainableAdapter adapter = new TrainableAdapter(
                        wanted.config, wanted.lora, EnumSet.of(Part.A, Part.B), MagnitudeAxis.ROW);
                AdaptedModel adapted = model.with(adapter)) {
            adapter.load(wanted.adapter);
            double[][] logits = wide(adapted.logits(batch)[0]);
            double loss = adapted.gradients(batch).meanLoss();
            List<double[][]> gradients = new ArrayList<>();
            for (String module : wanted.adapter.modules().keySet()) {
                gradients.add(NaiveLora.wide(adapter.gradient(Part.A, module)));
                gradients.add(NaiveLora.wide(adapter.gradient(Part.B, module)));
            }
            return new Outcome(logits, loss, gradients);
        }
    }

    private static double[][] wide(float[][] rows) {
        return Arrays.stream(rows)
                .map(row ->
                        IntStream.range(0, row.length).mapToDouble(i -> row[i]).toArray())
                .toArray(double[][]::new);
    }

    private record Errors(double logits, double loss, double gradients) {
        Errors max(Errors other) {
            return new Errors(
                    Math.max(logits, other.logits), Math.max(loss, other.loss), Math.max(gradients, other.gradients));
        }

        Errors times(double factor) {
            return new Errors(factor * logits, factor * loss, factor * gradients);
        }
    }

    /** What a model computes; gradients of A and B by module. */
    private record Outcome(double[][] logits, double loss, List<double[][]> gradients) {
        static Outcome of(Case wanted, NaiveLlama.WeightRows weights) {
            Map<String, NaiveLora> adapters = wanted.naiveAdapters();
            NaiveLlama.Result result = new NaiveLlama(wanted.config, weights, adapters).gradients(wanted.ids);
            List<double[][]> gradients = new ArrayList<>();
            adapters.values().forEach(adapter -> {
                gradients.add(adapter.aGradient);
                gradients.add(adapter.bGradient);
            });
            return new Outcome(result.logits(), result.loss(), gradients);
        }

        /** The most that weights which are off by their rounding move it. */
        Errors moved(Case wanted, int draws) {
            Errors most = new Errors(0, 0, 0);
            for (int draw = 0; draw < draws; draw++) {
                most = most.max(errors(Outcome.of(wanted, wanted.weights.rounded(draw))));
            }
            return most;
        }

        Errors errors(Outcome other) {
            return new Errors(
                    distance(Collections.singletonList(other.logits), Collections.singletonList(logits)),
                    Math.abs(other.loss - loss) / loss,
                    distance(other.gradients, gradients));
        }
    }

    /** The L2 norm of a difference for that of what is wanted. */
    private static double distance(List<double[][]> found, List<double[][]> wanted) {
        double squares = 0;
        double wantedSquares = 0;
        assertThat(found).hasSameSizeAs(wanted);
        for (int matrix = 0; matrix < wanted.size(); matrix++) {
            for (int row = 0; row < wanted.get(matrix).length; row++) {
                double[] difference = found.get(matrix)[row].clone();
                assertThat(difference).hasSameSizeAs(wanted.get(matrix)[row]);
                NaiveMath.addScaled(difference, wanted.get(matrix)[row], -1);
                squares += NaiveMath.dot(difference, difference);
                wantedSquares += NaiveMath.dot(wanted.get(matrix)[row], wanted.get(matrix)[row]);
            }
        }
        assertThat(wantedSquares).as("norm of what is wanted").isPositive();
        return Math.sqrt(squares / wantedSquares);
    }
}
