package org.fedlora4j.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Arena;
import org.fedlora4j.model.exec.ExecutionPlan;
import org.fedlora4j.model.exec.NativeMemory;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Embedding and all decoder layers for batches of one shape, [B, T] tokens: forward and, for training, backward.
 *
 * <p>Training keeps every layer's input and what its backward half reads; with {@link Recompute#LAYER} all layers share
 * the space of the latter, and each runs its forward half again first. Evaluation has two buffers that the layers write in
 * turn. All that lies in the workspace, so plans of many lengths take no more than the longest.
 */
final class BatchPlan implements AutoCloseable {
    /** Sees what a layer made; later layers overwrite it. */
    interface LayerListener {
        LayerListener NONE = (layer, hidden) -> {};

        /** The output [N, D] of a layer, or of the embedding for layer -1. */
        void after(int layer, INDArray hidden);
    }

    private final LlamaConfig config;
    private final FrozenWeights weights;
    private final Adapter adapter;
    private final LlamaGraph.LayerShape shape;
    private final Recompute recompute;
    private final Workspace workspace;
    private final CompiledModel compiled;

    private final NativeMemory memory = new NativeMemory();
    private final INDArray ids;
    private final INDArray[] hidden;
    private final INDArray[] gradients;
    /** What all layers use in turn, by name: mask, rotation tables, keys and values, and the adapter's noise. */
    private final Map<String, INDArray> shared = new HashMap<>();

    private final BatchInputs inputs;
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
        this.workspace = workspace;
        hidden = new INDArray[config.layers() + 1];
        gradients = new INDArray[config.layers() + 1];
        ids = memory.array(DataType.INT32, shape.rows());

        cache = shape.cachedTokens() == 0
                ? null
                : new KeyValueCache(config, shape.batch(), shape.cachedTokens(), memory);
        compiled = new CompiledModel(config, weights, adapter, shape, settings);
        compiled.shared().forEach((name, size) -> shared.put(name, memory.floats(size)));
        if (!shape.training()) {
            long[] heads = {shape.batch(), config.keyValueHeads(), shape.tokens(), config.headSize()};
            shared.put(LlamaGraph.KEYS, memory.floats(heads));
            shared.put(LlamaGraph.VALUES, memory.floats(heads));
        }
        inputs = new BatchInputs(config, shape, ids, shared);
    }

    /** Binds the graphs to the workspace's memory, unless they are. */
    private void bind() {
        Arena saved = workspace.saved(savedBytes());
        Arena scratch = workspace.scratch(compiled.scratchBytes());
        if (saved == boundSaved && scratch == boundScratch) {
            return;
        }
        boundSaved = saved;
        boundScratch = scratch;
        for (int i = 0; i <= config.layers(); i++) {
            hidden[i] = hidden(saved, shape.training() ? i : i % 2);
            if (shape.training()) {
                gradients[i] = hidden(saved, config.layers() + 1 + i % 2);
            }
        }
        bound.clear();
        Map<String, INDArray> embeddingArrays =
                Map.of(LlamaGraph.INPUT, ids, LlamaGraph.EMBEDDING, weights.embedding(), LlamaGraph.OUTPUT, hidden[0]);
        bound.add(compiled.embedding().plan().bind(embeddingArrays, saved, 0, scratch));
        for (int layer = 0; layer < config.layers(); layer++) {
            CompiledGraph graph = compiled.layer(layer);
            long offset = compiled.savedBytes() * (layer % savedSpaces());
            bound.add(graph.plan().bind(arrays(layer, graph), saved, offset, scratch));
        }
    }

    /** One of the arrays [N, D] that follow what the layers keep. */
    private INDArray hidden(Arena saved, int index) {
        return saved.array(keptBytes() + index * hiddenBytes(), DataType.FLOAT, shape.rows(), config.hiddenSize());
    }

    private long hiddenBytes() {
        return Arena.align((long) shape.rows() * config.hiddenSize() * Float.BYTES);
    }

    /** What the layers keep, their inputs and two gradients; in evaluation two buffers. */
    private long savedBytes() {
        return keptBytes() + (shape.training() ? config.layers() + 3 : 2) * hiddenBytes();
    }

    private ExecutionPlan.Bound layer(int layer) {
        return bound.get(1 + layer);
    }

    private Map<String, INDArray> arrays(int layer, CompiledGraph graph) {
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
            graph.gradients().forEach((variable, output) -> arrays.put(output, targets.get(variable)));
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
        inputs.write(batch);
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
        inputs.write(tokens, positions, masks);
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

    /** Memory of the workspace that the layers keep from their forward to their backward halves. */
    long keptBytes() {
        return compiled.savedBytes() * savedSpaces();
    }

    /** How many layers' share of it there is. */
    private int savedSpaces() {
        return recompute == Recompute.LAYER ? 1 : config.layers();
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
        for (String name : compiled.noise(layer)) {
            adapter.fillNoise(layer, name, array(name));
        }
    }
}
