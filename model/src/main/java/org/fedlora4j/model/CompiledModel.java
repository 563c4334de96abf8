package org.fedlora4j.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.fedlora4j.model.config.LlamaConfig;
import org.nd4j.autodiff.samediff.SameDiff;

/** The embedding and all decoder layers compiled for batches of one shape; layers of the same layout share a plan. */
final class CompiledModel {
    /** What a layer reads or makes that is its own, and not all layers' in turn. */
    private static final Set<String> OF_ONE_LAYER =
            Set.of(LlamaGraph.INPUT, LlamaGraph.OUTPUT_GRADIENT, LlamaGraph.CACHED_KEYS, LlamaGraph.CACHED_VALUES);

    private final CompiledGraph embedding;
    private final List<CompiledGraph> layers = new ArrayList<>();
    private final Map<String, long[]> shared = new LinkedHashMap<>();
    private final List<List<String>> noise = new ArrayList<>();
    private final long savedBytes;
    private final long scratchBytes;

    CompiledModel(
            LlamaConfig config,
            FrozenWeights weights,
            Adapter adapter,
            LlamaGraph.LayerShape shape,
            LanguageModel.Settings settings) {
        embedding = CompiledGraph.forward(
                LlamaGraph.embedding(shape.rows(), weights.embedding()),
                List.of(LlamaGraph.OUTPUT),
                settings.precision());
        Map<Object, CompiledGraph> byLayout = new HashMap<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            Object layout = adapter.layout(layer);
            CompiledGraph compiled = byLayout.get(layout);
            if (compiled == null) {
                SameDiff graph = LlamaGraph.layer(config, shape, weights.layer(layer), adapter, layer);
                compiled = compile(graph, shape, adapter.gradients(layer).keySet(), settings);
                byLayout.put(layout, compiled);
            }
            layers.add(compiled);
            Map<String, long[]> placeholders = new LinkedHashMap<>(compiled.placeholders());
            placeholders.keySet().removeAll(OF_ONE_LAYER);
            placeholders.keySet().removeAll(LlamaGraph.LAYER_WEIGHTS);
            placeholders.forEach(shared::putIfAbsent);
            placeholders.keySet().removeAll(LlamaGraph.ROTATION);
            placeholders.remove(LlamaGraph.MASK);
            noise.add(List.copyOf(placeholders.keySet()));
        }
        savedBytes = layers.stream()
                .mapToLong(layer -> layer.plan().savedBytes())
                .max()
                .orElse(0);
        scratchBytes = layers.stream()
                .mapToLong(layer -> layer.plan().temporaryBytes())
                .reduce(embedding.plan().temporaryBytes(), Math::max);
    }

    private static CompiledGraph compile(
            SameDiff graph, LlamaGraph.LayerShape shape, Set<String> adapted, LanguageModel.Settings settings) {
        if (!shape.training()) {
            return CompiledGraph.forward(
                    graph, List.of(LlamaGraph.OUTPUT, LlamaGraph.KEYS, LlamaGraph.VALUES), settings.precision());
        }
        List<String> variables = new ArrayList<>(adapted);
        variables.add(LlamaGraph.INPUT);
        return CompiledGraph.withGradient(
                graph, variables, settings.precision(), settings.recompute() != Recompute.ATTENTION);
    }

    CompiledGraph embedding() {
        return embedding;
    }

    CompiledGraph layer(int layer) {
        return layers.get(layer);
    }

    /** Shapes of what all layers read in turn, by name: mask, rotation tables and the adapter's noise. */
    Map<String, long[]> shared() {
        return shared;
    }

    /** The names of the adapter's noise in a layer. */
    List<String> noise(int layer) {
        return noise.get(layer);
    }

    /** The most that a layer keeps from its forward to its backward half. */
    long savedBytes() {
        return savedBytes;
    }

    /** The most that a half needs while it runs. */
    long scratchBytes() {
        return scratchBytes;
    }
}
