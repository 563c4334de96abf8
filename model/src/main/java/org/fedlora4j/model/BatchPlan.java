package org.fedlora4j.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Arena;
import org.fedlora4j.model.exec.ExecutionPlan;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.nn.Rope;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Embedding and all decoder layers for batches of one shape, [B, T] tokens: forward and, for training, backward.
 *
 * <p>Training keeps every layer's input and what its backward half reads; with {@link Recompute#LAYER} all layers share
 * the space of the latter, and each runs its forward half again first. Evaluation has two buffers that the layers write in
 * turn.
 */
final class BatchPlan implements AutoCloseable {
    /** Sees what a layer made; later layers overwrite it. */
    interface LayerListener {
        LayerListener NONE = (layer, hidden) -> {};

        /** The output [N, D] of a layer, or of the embedding for layer -1. */
        void after(int layer, INDArray hidden);
    }

    /** Added to the score of a position that a token may not see; its softmax is exactly 0. */
    static final float MASKED = -1e9f;

    private final LlamaConfig config;
    private final FrozenWeights weights;
    private final Adapter adapter;
    private final LlamaGraph.LayerShape shape;
    private final Recompute recompute;
    private final Precision precision;

    private final Workspace workspace;
    private final CompiledGraph compiledEmbedding;
    private final List<CompiledGraph> compiledLayers;
    private final long savedBytes;
    private final long scratchBytes;

    private final NativeMemory memory = new NativeMemory();
    private final INDArray ids;
    private final INDArray[] hidden;
    private final INDArray[] gradients;
    /** What all layers use in turn, by name: mask, rotation tables, keys and values, and the adapter's noise. */
    private final Map<String, INDArray> shared = new HashMap<>();

    private final List<List<String>> noise = new ArrayList<>();
    private final @Nullable KeyValueCache cache;

    /** The graphs bound to the workspace's memory as it was last, in this order: embedding, layers. */
    private final List<ExecutionPlan.Bound> bound = new ArrayList<>();

    private @Nullable Arena boundSaved;
    private @Nullable Arena boundScratch;

    BatchPlan(
            LlamaConfig config,
            FrozenWeights weights,
            Adapter adapter,
            LlamaGraph.LayerShape shape,
            LanguageModel.Settings settings,
            Workspace workspace) {
        this.config = config;
        this.weights = weights;
        this.adapter = adapter;
        this.shape = shape;
        this.recompute = settings.recompute();
        this.precision = settings.precision();
        this.workspace = workspace;
        int rows = shape.rows();
        int depth = config.layers();
        hidden = new INDArray[depth + 1];
        gradients = new INDArray[depth + 1];
        for (int i = 0; i <= depth; i++) {
            boolean reuse = i >= 2;
            hidden[i] = reuse && !shape.training() ? hidden[i - 2] : memory.floats(rows, config.hiddenSize());
            gradients[i] = reuse || !shape.training() ? gradients[i % 2] : memory.floats(rows, config.hiddenSize());
        }
        ids = memory.array(DataType.INT32, rows);

        cache = shape.cachedTokens() == 0
                ? null
                : new KeyValueCache(config, shape.batch(), shape.cachedTokens(), memory);
        compiledLayers = compileLayers();
        compiledEmbedding = CompiledGraph.forward(
                LlamaGraph.embedding(rows, weights.embedding()), List.of(LlamaGraph.OUTPUT), precision);
        long scratchBytes = compiledEmbedding.plan().temporaryBytes();
        long savedBytes = 0;
        for (CompiledGraph layer : compiledLayers) {
            scratchBytes = Math.max(scratchBytes, layer.plan().temporaryBytes());
            savedBytes = Math.max(savedBytes, layer.plan().savedBytes());
        }
        this.scratchBytes = scratchBytes;
        this.savedBytes = savedBytes;
        int[] positions = new int[rows];
        for (int row = 0; row < rows; row++) {
            positions[row] = row % shape.tokens();
        }
        fillRotation(positions);
    }

    private List<CompiledGraph> compileLayers() {
        Map<Object, CompiledGraph> byLayout = new HashMap<>();
        List<CompiledGraph> compiled = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            Object layout = adapter.layout(layer);
            if (!byLayout.containsKey(layout)) {
                byLayout.put(layout, compile(layer));
            }
            CompiledGraph graph = byLayout.get(layout);
            compiled.add(graph);
            Map<String, long[]> placeholders = new HashMap<>(graph.placeholders());
            placeholders
                    .keySet()
                    .removeAll(List.of(
                            LlamaGraph.INPUT,
                            LlamaGraph.OUTPUT_GRADIENT,
                            LlamaGraph.CACHED_KEYS,
                            LlamaGraph.CACHED_VALUES));
            placeholders.keySet().removeAll(LlamaGraph.LAYER_WEIGHTS);
            placeholders.forEach((name, size) -> shared.computeIfAbsent(name, key -> memory.floats(size)));
            placeholders.keySet().removeAll(LlamaGraph.ROTATION);
            placeholders.remove(LlamaGraph.MASK);
            noise.add(List.copyOf(placeholders.keySet()));
        }
        if (!shape.training()) {
            long[] heads = {shape.batch(), config.keyValueHeads(), shape.tokens(), config.headSize()};
            shared.put(LlamaGraph.KEYS, memory.floats(heads));
            shared.put(LlamaGraph.VALUES, memory.floats(heads));
        }
        return compiled;
    }

    private CompiledGraph compile(int layer) {
        SameDiff graph = LlamaGraph.layer(config, shape, weights.layer(layer), adapter, layer);
        if (!shape.training()) {
            return CompiledGraph.forward(
                    graph, List.of(LlamaGraph.OUTPUT, LlamaGraph.KEYS, LlamaGraph.VALUES), precision);
        }
        List<String> variables = new ArrayList<>(adapter.gradients(layer).keySet());
        variables.add(LlamaGraph.INPUT);
        return CompiledGraph.withGradient(graph, variables, precision, recompute != Recompute.ATTENTION);
    }

    /** Binds the graphs to the workspace's memory, unless they are. */
    private void bind() {
        int savedSpaces = recompute == Recompute.LAYER ? 1 : config.layers();
        Arena saved = workspace.saved(savedBytes * savedSpaces);
        Arena scratch = workspace.scratch(scratchBytes);
        if (saved == boundSaved && scratch == boundScratch) {
            return;
        }
        boundSaved = saved;
        boundScratch = scratch;
        bound.clear();
        Map<String, INDArray> embeddingArrays =
                Map.of(LlamaGraph.INPUT, ids, LlamaGraph.EMBEDDING, weights.embedding(), LlamaGraph.OUTPUT, hidden[0]);
        bound.add(compiledEmbedding.plan().bind(embeddingArrays, saved, 0, scratch));
        for (int layer = 0; layer < config.layers(); layer++) {
            CompiledGraph compiled = compiledLayers.get(layer);
            long offset = savedBytes * (layer % savedSpaces);
            bound.add(compiled.plan().bind(arrays(layer, compiled), saved, offset, scratch));
        }
    }

    private ExecutionPlan.Bound layer(int layer) {
        return bound.get(1 + layer);
    }

    private Map<String, INDArray> arrays(int layer, CompiledGraph compiled) {
        Map<String, INDArray> arrays = new HashMap<>(shared);
        arrays.putAll(weights.layer(layer));
        arrays.putAll(adapter.variables(layer));
        arrays.put(LlamaGraph.INPUT, hidden[layer]);
        arrays.put(LlamaGraph.OUTPUT, hidden[layer + 1]);
        if (cache != null) {
            arrays.put(LlamaGraph.CACHED_KEYS, cache.keys(layer));
            arrays.put(LlamaGraph.CACHED_VALUES, cache.values(layer));
        }
        if (shape.training()) {
            arrays.put(LlamaGraph.OUTPUT_GRADIENT, gradients[layer + 1]);
            Map<String, INDArray> targets = new HashMap<>(adapter.gradients(layer));
            targets.put(LlamaGraph.INPUT, gradients[layer]);
            compiled.gradients().forEach((variable, output) -> arrays.put(output, targets.get(variable)));
        }
        return arrays;
    }

    /**
     * Runs the batch forward.
     *
     * @param batch at most [B, T]
     * @return the last layer's output [N, D], before the final norm; valid until the next pass
     */
    INDArray forward(TokenBatch batch, LayerListener listener) {
        fillInputs(batch);
        return run(listener);
    }

    /**
     * Runs one token of each row, whose earlier ones are in the cache, and puts it there too.
     *
     * @param tokens [B]
     * @param positions of these tokens [B]
     * @param masks [B][S + 1], what each row may see: the slots and the token itself
     * @param slot where to keep the tokens' keys and values
     * @return the last layer's output [B, D], before the final norm; valid until the next pass
     */
    INDArray decode(int[] tokens, int[] positions, float[][] masks, int slot) {
        NativeArrays.write(tokens, ids);
        fillRotation(positions);
        for (int row = 0; row < masks.length; row++) {
            NativeArrays.writeAt(masks[row], array(LlamaGraph.MASK), (long) row * masks[row].length);
        }
        return run((layer, output) -> {
            if (layer >= 0) {
                cache().store(layer, keys(), values(), slot);
            }
        });
    }

    private INDArray run(LayerListener listener) {
        bind();
        bound.get(0).forward();
        listener.after(-1, hidden[0]);
        for (int layer = 0; layer < config.layers(); layer++) {
            load(layer);
            layer(layer).forward();
            listener.after(layer, hidden[layer + 1]);
        }
        return hidden[config.layers()];
    }

    /** Where the gradient of {@link #forward}'s result [N, D] goes before {@link #backward}. */
    INDArray outputGradient() {
        return gradients[config.layers()];
    }

    /** Runs the last forward batch backward; the adapter's gradients are overwritten. */
    void backward() {
        for (int layer = config.layers() - 1; layer >= 0; layer--) {
            load(layer);
            if (recompute == Recompute.LAYER) {
                layer(layer).forward();
            }
            layer(layer).backward();
        }
    }

    /** The keys and values of earlier tokens, in a plan that has cached tokens. */
    KeyValueCache cache() {
        return Objects.requireNonNull(cache, "a plan without cached tokens");
    }

    /** In evaluation, the keys of the layer that ran last [B, K, T, h]. */
    INDArray keys() {
        return array(LlamaGraph.KEYS);
    }

    /** In evaluation, the values of the layer that ran last [B, K, T, h]. */
    INDArray values() {
        return array(LlamaGraph.VALUES);
    }

    /** Native memory of this plan's own; weights and workspace are not counted. */
    long bytes() {
        return memory.bytes();
    }

    /** Overwrites all that a pass leaves behind, for tests; the rotation tables stay. */
    void poison() {
        Map<String, INDArray> tables = new HashMap<>();
        LlamaGraph.ROTATION.forEach(name -> tables.put(name, array(name).dup()));
        memory.fill(Float.NaN);
        workspace.fill(Float.NaN);
        tables.forEach((name, table) -> array(name).assign(table));
    }

    @Override
    public void close() {
        memory.close();
    }

    private INDArray array(String name) {
        INDArray array = shared.get(name);
        if (array == null) {
            throw new IllegalStateException("this plan has no " + name);
        }
        return array;
    }

    private void load(int layer) {
        weights.load(layer);
        for (String name : noise.get(layer)) {
            adapter.fillNoise(layer, name, array(name));
        }
    }

    private void fillInputs(TokenBatch batch) {
        int tokens = shape.tokens();
        int[] padded = new int[shape.rows()];
        float[] mask = new float[shape.batch() * tokens * tokens];
        for (int row = 0; row < shape.batch(); row++) {
            // A missing row is one of padding alone; it sees itself, so that nothing divides by zero.
            int[] source = row < batch.rows() ? batch.ids()[row] : new int[] {batch.padId()};
            for (int position = 0; position < tokens; position++) {
                int id = position < source.length ? source[position] : batch.padId();
                if (id < 0 || id >= config.vocabularySize()) {
                    throw new IllegalArgumentException("token id " + id + " at row " + row + ", position " + position
                            + "; wanted 0 to " + (config.vocabularySize() - 1));
                }
                padded[row * tokens + position] = id;
                int seen = Math.min(position + 1, source.length);
                int begin = (row * tokens + position) * tokens;
                Arrays.fill(mask, begin + seen, begin + tokens, MASKED);
            }
        }
        NativeArrays.write(padded, ids);
        NativeArrays.write(mask, array(LlamaGraph.MASK));
    }

    private void fillRotation(int[] positions) {
        for (int i = 0; i < LlamaGraph.ROTATION.size(); i += 2) {
            Rope.fillTables(
                    positions,
                    config.inverseFrequencies(),
                    i == 0 ? config.heads() : config.keyValueHeads(),
                    array(LlamaGraph.ROTATION.get(i)),
                    array(LlamaGraph.ROTATION.get(i + 1)));
        }
    }
}
