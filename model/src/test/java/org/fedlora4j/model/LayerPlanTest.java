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
import org.nd4j.linalg.api.ndarray.INDArray;

/** A decoder layer's plan against SameDiff's own session on the same graph, which sums some products in another order. */
class LayerPlanTest {
    private static final long SEED = 20_260_301;

    /** A few units in the last place of the largest value. */
    private static final float ROUNDING = 1e-6f;

    /** The native bytes that JavaCPP counts for the smallest array. */
    private static final long HANDLES_OF_AN_ARRAY = 16;

    @AfterEach
    void kernelsAsTheyWere() {
        System.clearProperty("fedlora.kernels");
    }

    static Stream<Arguments> grid() {
        return Stream.of("on", "off")
                .flatMap(kernels -> Stream.of(1, 2, 4)
                        .flatMap(keyValueHeads -> Stream.of(
                                Arguments.of(kernels, keyValueHeads, 1, 7),
                                Arguments.of(kernels, keyValueHeads, 3, 4))));
    }

    @ParameterizedTest
    @MethodSource("grid")
    void outputAndGradientsAreSameDiffs(String kernels, int keyValueHeads, int batch, int tokens) {
        System.setProperty("fedlora.kernels", kernels);
        Random random = new Random(SEED);
        LlamaConfig config = TinyModel.config(1, 4, keyValueHeads);
        LlamaGraph.LayerShape shape = new LlamaGraph.LayerShape(batch, tokens, 0, true);
        Map<String, INDArray> weights = TinyModel.layer(config, random);
        try (LowRankAdapter adapter = new LowRankAdapter(config, random);
                NativeMemory memory = new NativeMemory()) {
            SameDiff graph = LlamaGraph.layer(config, shape, weights, adapter, 0);
            List<String> variables = new ArrayList<>(adapter.gradients(0).keySet());
            variables.add(LlamaGraph.INPUT);
            CompiledGraph compiled = CompiledGraph.withGradient(graph, variables, Precision.F32, true);

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
                known.putAll(weights);
                Map<String, INDArray> wanted = graph.calculateGradients(known, variables);
                INDArray wantedOutput = graph.outputSingle(known, LlamaGraph.OUTPUT);

                saved.fill(Float.NaN);
                scratch.fill(Float.NaN);
                outputs.values().forEach(output -> output.assign(Float.NaN));
                runWithoutArrays(bound::forward);
                // Other layers use the scratch memory between a layer's two halves.
                scratch.fill(Float.NaN);
                runWithoutArrays(bound::backward);

                assertSame("output", arrays.get(LlamaGraph.OUTPUT), wantedOutput);
                compiled.gradients()
                        .forEach((variable, output) -> assertSame(variable, arrays.get(output), wanted.get(variable)));
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

    private static void assertSame(String name, @Nullable INDArray found, @Nullable INDArray wanted) {
        Objects.requireNonNull(wanted, name);
        Objects.requireNonNull(found, name);
        float largest = wanted.amaxNumber().floatValue();
        assertThat(largest).isFinite().isPositive();
        assertThat(found.ravel().toFloatVector())
                .as("%s, seed %d", name, SEED)
                .containsExactly(wanted.ravel().toFloatVector(), within(ROUNDING * largest));
    }
}
