package org.fedlora4j.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A checkpoint's weights as float arrays that a plan can be bound to. A float32 checkpoint is used where it is mapped.
 * One of 16 bits is cast: once, into arrays of its own, as long as these fit into a budget; else each time a layer is
 * about to run, into arrays that all layers share.
 */
final class FrozenWeights implements AutoCloseable {
    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String NORM = "model.norm.weight";

    /** The checkpoint's arrays by name, as they are mapped. */
    private final Map<String, INDArray> mapped = new HashMap<>();

    private final Checkpoint checkpoint;
    private final NativeMemory memory = new NativeMemory();
    private final List<Map<String, INDArray>> layers = new ArrayList<>();
    private final Map<String, INDArray> sharedByModule = new HashMap<>();
    private final INDArray norm;
    private final INDArray head;
    /** The layer whose weights lie in the shared arrays, or -1. */
    private int loaded = -1;

    /** @param residentBytes how much memory float copies of layers may take for good */
    FrozenWeights(Checkpoint checkpoint, long residentBytes) throws IOException {
        this.checkpoint = checkpoint;
        List<Parameter> parameters = ParameterNames.of(checkpoint.config()).toList();
        for (Parameter parameter : parameters) {
            mapped.put(parameter.name(), checkpoint.weight(parameter.name()));
        }
        norm = resident(NORM);
        head = resident(headName());
        long left = residentBytes;
        for (int layer = 0; layer < checkpoint.config().layers(); layer++) {
            long bytes = 0;
            for (String module : modules()) {
                bytes += mapped(name(layer, module)).length() * Float.BYTES;
            }
            boolean keep = bytes <= left;
            left -= keep ? bytes : 0;
            Map<String, INDArray> weights = new LinkedHashMap<>();
            for (String module : modules()) {
                String name = name(layer, module);
                boolean own = keep || mapped(name).dataType() == DataType.FLOAT;
                weights.put(
                        module,
                        own ? resident(name) : shared(module, mapped(name).shape()));
            }
            layers.add(weights);
        }
    }

    /** The arrays of a layer by module; their values are right after {@link #load}. */
    Map<String, INDArray> layer(int layer) {
        return layers.get(layer);
    }

    /** Puts a layer's values where {@link #layer} says. */
    void load(int layer) {
        if (loaded == layer) {
            return;
        }
        for (Map.Entry<String, INDArray> weight : layers.get(layer).entrySet()) {
            if (sharedByModule.get(weight.getKey()) == weight.getValue()) {
                weight.getValue().assign(mapped(name(layer, weight.getKey())));
                loaded = layer;
            }
        }
    }

    /** The final norm's weight [D]. */
    INDArray norm() {
        return norm;
    }

    /** The head's weight [V, D]. */
    INDArray head() {
        return head;
    }

    /** The embedding table [V, D], in the checkpoint's type. */
    INDArray embedding() {
        return mapped(EMBEDDING);
    }

    /** A layer's weight where it is mapped, in the checkpoint's type, which {@link #load} has no part in. */
    INDArray mapped(int layer, String module) {
        return mapped(name(layer, module));
    }

    /** The final norm's weight [D] as it is mapped. */
    INDArray mappedNorm() {
        return mapped(NORM);
    }

    /** The head's weight [V, D] as it is mapped. */
    INDArray mappedHead() {
        return mapped(headName());
    }

    private String headName() {
        return checkpoint.config().tiedEmbeddings() ? EMBEDDING : "lm_head.weight";
    }

    @Override
    public void close() {
        memory.close();
    }

    /** A float array for good; the file's own pages, read once, are given back. */
    private INDArray resident(String name) {
        INDArray weight = mapped(name);
        if (weight.dataType() == DataType.FLOAT) {
            return weight;
        }
        INDArray copy = memory.floats(weight.shape());
        copy.assign(weight);
        checkpoint.evict(name);
        return copy;
    }

    private INDArray shared(String module, long[] shape) {
        return sharedByModule.computeIfAbsent(module, key -> memory.floats(shape));
    }

    private INDArray mapped(String name) {
        return Objects.requireNonNull(mapped.get(name), () -> "the checkpoint has no " + name);
    }

    private static List<String> modules() {
        List<String> modules = new ArrayList<>(LlamaGraph.PROJECTIONS);
        modules.add(LlamaGraph.INPUT_NORM);
        modules.add(LlamaGraph.POST_ATTENTION_NORM);
        return modules;
    }

    private static String name(int layer, String module) {
        return "model.layers." + layer + "." + module + ".weight";
    }
}
