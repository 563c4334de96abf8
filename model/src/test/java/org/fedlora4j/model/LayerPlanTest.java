package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.fedlora4j.kernels.Product;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Arena;
import org.fedlora4j.model.exec.ExecutionPlan;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.nn.Rope;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A decoder layer's plan against SameDiff's own session on the same graph, which sums some products in another order. */
class LayerPlanTest {
    private static final long SEED = 20_260_301;

    /** A few units in the last place of the largest value. */
    private static final float ROUNDING = 1e-6f;

    /** Some roundings of what products read, by half a unit in the last place of 8 bits each. */
    private static final float BF16_ROUNDING = 0.03f;

    /** The native bytes that JavaCPP counts for the smallest array. */
    private static final long HANDLES_OF_AN_ARRAY = 16;

    @AfterEach
    void kernelsAsTheyWere() {
        System.clearProperty("fedlora.kernels");
    }

    static Stream<Arguments> grid() {
        return Stream.of(1, 2, 4)
                .flatMap(keyValueHeads ->
                        Stream.of(Arguments.of(keyValueHeads, 1, 7, true), Arguments.of(keyValueHeads, 3, 4, false)));
    }

    @ParameterizedTest
    @MethodSource("grid")
    void outputAndGradientsAreSameDiffs(int keyValueHeads, int batch, int tokens, boolean keepsAttention) {
        check(Precision.F32, keyValueHeads, batch, tokens, keepsAttention);
    }

    @ParameterizedTest
    @MethodSource("grid")
    void withoutKernelsTheyAreTheSame(int keyValueHeads, int batch, int tokens, boolean keepsAttention) {
        System.setProperty("fedlora.kernels", "off");
        check(Precision.F32, keyValueHeads, batch, tokens, keepsAttention);
    }

    /** Also where bf16 is refused for being slow; where there is none at all, it is refused. */
    @ParameterizedTest
    @MethodSource("grid")
    void inBf16TheyAreClose(int keyValueHeads, int batch, int tokens, boolean keepsAttention) {
        if (Product.isFast(Product.Type.BF16, 64, Product.Type.BF16)) {
            check(Precision.BF16, keyValueHeads, batch, tokens, keepsAttention);
        } else {
            assertThat(Precision.choose("auto").precision()).isEqualTo(Precision.F32);
        }
    }

    private static void check(Precision precision, int keyValueHeads, int batch, int tokens, boolean keepsAttention) {
        Random random = new Random(SEED);
        LlamaConfig config = TinyModel.config(1, 4, keyValueHeads);
        LlamaGraph.LayerShape shape = new LlamaGraph.LayerShape(batch, tokens, 0, true);
        // As the plan reads them: in bf16 the projections' weights.
        Map<String, INDArray> weights = TinyModel.layer(config, random);
        weights.replaceAll(
                (name, weight) -> LlamaGraph.PROJECTIONS.contains(name) ? weight.castTo(precision.weights()) : weight);
        try (LowRankAdapter adapter = new LowRankAdapter(config, random);
                NativeMemory memory = new NativeMemory()) {
            SameDiff graph = LlamaGraph.layer(config, shape, weights, adapter, 0);
            List<String> variables = new ArrayList<>(adapter.gradients(0).keySet());
            variables.add(LlamaGraph.INPUT);
            CompiledGraph compiled = CompiledGraph.withGradient(graph, variables, precision, keepsAttention);

            Map<String, INDArray> placeholders = new HashMap<>();
            compiled.placeholders().forEach((name, size) -> placeholders.put(name, memory.floats(size)));
            placeholders.keySet().removeAll(LlamaGraph.LAYER_WEIGHTS);
            Map<String, INDArray> outputs = new HashMap<>();
            outputs.put(LlamaGraph.OUTPUT, memory.floats(shape.rows(), config.hiddenSize()));
            compiled.gradients()
                    .forEach((variable, output) -> outputs.put(
                            output, memory.floats(graph.getVariable(variable).getShape())));
            Map<String, INDArray> arrays = new HashMap<>(weights);
            arrays.putAll(adapter.variables(0));
            arrays.putAll(placeholders);
            arrays.putAll(outputs);
            Arena saved = memory.arena(compiled.plan().savedBytes());
            Arena scratch = memory.arena(compiled.plan().temporaryBytes());
            ExecutionPlan.Bound bound = compiled.plan().bind(arrays, saved, 0, scratch);

            for (int run = 0; run < 3; run++) {
                placeholders.forEach((name, array) -> array.assign(TinyModel.array(random, array.shape())));
                fillRotation(config, random.ints(shape.rows(), 0, 50).toArray(), placeholders);
                Map<String, INDArray> known = new HashMap<>(placeholders);
                weights.forEach((name, weight) -> known.put(name, weight.castTo(DataType.FLOAT)));
                Map<String, INDArray> wanted = graph.calculateGradients(known, variables);
                INDArray wantedOutput = graph.outputSingle(known, LlamaGraph.OUTPUT);

                saved.fill(Float.NaN);
                scratch.fill(Float.NaN);
                outputs.values().forEach(output -> output.assign(Float.NaN));
                runWithoutArrays(bound::forward);
                // Other layers use the scratch memory between a layer's two halves.
                scratch.fill(Float.NaN);
                runWithoutArrays(bound::backward);

                float tolerance = precision == Precision.F32 ? ROUNDING : BF16_ROUNDING;
                assertClose("output", arrays.get(LlamaGraph.OUTPUT), wantedOutput, tolerance);
                compiled.gradients()
                        .forEach((variable, output) ->
                                assertClose(variable, arrays.get(output), wanted.get(variable), tolerance));
            }
        }
    }

    private static void fillRotation(LlamaConfig config, int[] positions, Map<String, INDArray> placeholders) {
        for (int i = 0; i < LlamaGraph.ROTATION.size(); i += 2) {
            INDArray cos = Objects.requireNonNull(placeholders.get(LlamaGraph.ROTATION.get(i)));
            INDArray sin = Objects.requireNonNull(placeholders.get(LlamaGraph.ROTATION.get(i + 1)));
            int heads = Math.toIntExact(cos.size(1) / config.headSize());
            Rope.fillTables(positions, config.inverseFrequencies(), heads, cos, sin);
        }
    }

    private static void runWithoutArrays(Runnable half) {
        long before = Pointer.totalBytes();
        half.run();
        assertThat(Pointer.totalBytes() - before).isLessThan(HANDLES_OF_AN_ARRAY);
    }

    private static void assertClose(String name, @Nullable INDArray found, @Nullable INDArray wanted, float tolerance) {
        Objects.requireNonNull(wanted, name);
        Objects.requireNonNull(found, name);
        float largest = wanted.amaxNumber().floatValue();
        assertThat(largest).isFinite().isPositive();
        assertThat(found.ravel().toFloatVector())
                .as("%s, seed %d", name, SEED)
                .containsExactly(wanted.ravel().toFloatVector(), within(tolerance * largest));
    }
}
