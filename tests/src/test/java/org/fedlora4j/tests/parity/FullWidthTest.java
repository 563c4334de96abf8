package org.fedlora4j.tests.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
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
import org.fedlora4j.model.weights.ElementType;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two layers of LLaMA2-7B's width, and many random ones of small widths, beside {@link NaiveLlama}: logits, loss, and every
 * element of the gradients of A and B. The reference's own backward pass is checked with finite differences at small width;
 * these alone would give one number for two forward passes, and hide a wrong element among right ones.
 *
 * <p>Tolerances are of differences in L2 norm, relative to the reference's. A sum of n terms in float32 is off by some
 * sqrt(n)·2^-24, for its roundings are a random walk (Higham and Mary, "A new approach to probabilistic rounding error
 * analysis", 2019). Of the sums and elementwise steps that a value passes through each adds an independent error, so that
 * after k steps it is sqrt(k·n)·2^-24: n is the longest sum, k the steps counted below. What was found is printed.
 */
class FullWidthTest {
    private static final double ROUNDING = 0x1p-24;

    /** Norm, projection, rope, scores, softmax, context, output, sum, norm, gate and up, activation, down, sum. */
    private static final int STEPS_OF_LAYER = 13;

    /** Final norm and head. */
    private static final int STEPS_OF_HEAD = 2;

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

        /** @param passes 1 forward, 2 with the way back */
        double tolerance(int passes) {
            int steps = passes * (config.layers() * STEPS_OF_LAYER + STEPS_OF_HEAD);
            int terms = Math.max(config.hiddenSize(), config.intermediateSize());
            return Math.sqrt((double) steps * terms) * ROUNDING;
        }
    }

    @Test
    void twoLayersOfSevenBillionsWidth() throws IOException {
        LlamaConfig config =
                new LlamaConfig(512, 4096, 11008, 2, 32, 32, 128, 1e-5, 10_000, new RopeScaling.None(), false, 4096);
        compare("7B's width", Case.of(config, 8, 1), ElementType.BF16);
    }

    @RepeatedTest(10)
    void randomModelsOfSmallWidth() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        compare("seed " + seed, small(random), random.nextBoolean() ? ElementType.BF16 : ElementType.F32);
    }

    /** With central differences of 1e-5 in float64 both the third derivative and rounding leave some 1e-10. */
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
        double step = 1e-5;
        double[][] direction = new double[matrix.length][];
        double expected = 0;
        for (int row = 0; row < matrix.length; row++) {
            direction[row] = random.doubles(matrix[row].length, -1, 1).toArray();
            expected += NaiveMath.dot(gradient[row], direction[row]);
        }
        move(matrix, direction, step);
        double above = reference.loss(ids);
        move(matrix, direction, -2 * step);
        double below = reference.loss(ids);
        move(matrix, direction, step);
        assertThat(expected).as(name).isCloseTo((above - below) / (2 * step), within(1e-8));
        assertThat(expected).as(name).isNotZero();
    }

    private static void move(double[][] matrix, double[][] direction, double step) {
        for (int row = 0; row < matrix.length; row++) {
            NaiveMath.addScaled(matrix[row], direction[row], step);
        }
    }

    /** Grouped or single key-value heads, tied or not, one to three layers, up to 40 tokens. */
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
        return Case.of(config, 2 + random.nextInt(39), random.nextLong());
    }

    private void compare(String name, Case wanted, ElementType type) throws IOException {
        wanted.weights.write(folder, type);
        Map<String, NaiveLora> adapters = wanted.naiveAdapters();
        NaiveLlama reference = new NaiveLlama(wanted.config, wanted.weights, adapters);
        double loss = reference.gradients(wanted.ids);
        double[][] logits = reference.logits(wanted.ids);
        TokenBatch batch = new TokenBatch(new int[][] {wanted.ids}, new int[][] {wanted.ids}, 0);
        try (LanguageModel model = LanguageModel.open(folder);
                TrainableAdapter adapter = new TrainableAdapter(
                        wanted.config, wanted.lora, EnumSet.of(Part.A, Part.B), MagnitudeAxis.ROW);
                AdaptedModel adapted = model.with(adapter)) {
            adapter.load(wanted.adapter);
            double ofLogits = distance(adapted.logits(batch)[0], logits);
            double ofLoss = Math.abs(adapted.gradients(batch).meanLoss() - loss) / loss;
            double ofGradients = 0;
            assertThat(adapters.keySet()).containsExactlyInAnyOrderElementsOf(adapter.modules());
            for (Map.Entry<String, NaiveLora> entry : adapters.entrySet()) {
                Matrix a = adapter.gradient(Part.A, entry.getKey());
                Matrix b = adapter.gradient(Part.B, entry.getKey());
                ofGradients = Math.max(ofGradients, distance(a, entry.getValue().aGradient));
                ofGradients = Math.max(ofGradients, distance(b, entry.getValue().bGradient));
            }
            System.out.printf(
                    Locale.ROOT,
                    "%s, %d wide, %d tokens, %s: logits %.1e, loss %.1e of %.1e; gradients %.1e of %.1e%n",
                    name,
                    wanted.config.hiddenSize(),
                    wanted.ids.length,
                    type,
                    ofLogits,
                    ofLoss,
                    wanted.tolerance(1),
                    ofGradients,
                    wanted.tolerance(2));
            assertThat(ofLogits).as("logits, " + name).isLessThanOrEqualTo(wanted.tolerance(1));
            assertThat(ofLoss).as("loss, " + name).isLessThanOrEqualTo(wanted.tolerance(1));
            assertThat(ofGradients).as("gradients, " + name).isLessThanOrEqualTo(wanted.tolerance(2));
        }
    }

    private static double distance(Matrix found, double[][] wanted) {
        float[][] rows = new float[found.rows()][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = found.row(row);
        }
        return distance(rows, wanted);
    }

    /** The L2 norm of the difference for that of the reference. */
    private static double distance(float[][] found, double[][] wanted) {
        assertThat(found).hasNumberOfRows(wanted.length);
        double squares = 0;
        double wantedSquares = 0;
        for (int row = 0; row < wanted.length; row++) {
            assertThat(found[row]).hasSameSizeAs(wanted[row]);
            for (int i = 0; i < wanted[row].length; i++) {
                double difference = found[row][i] - wanted[row][i];
                squares += difference * difference;
                wantedSquares += wanted[row][i] * wanted[row][i];
            }
        }
        assertThat(wantedSquares).as("norm of the reference").isPositive();
        return Math.sqrt(squares / wantedSquares);
    }
}
