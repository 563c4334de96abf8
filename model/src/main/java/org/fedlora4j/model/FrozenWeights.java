package org.fedlora4j.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Parameter;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A checkpoint's weights as arrays that a plan can be bound to: where they are mapped, if products read their type as it
 * is. Others are cast: once, into arrays of their own, as long as these fit into a budget; else each time a layer is about
 * to run, into arrays that all layers share. Norms are float32 always.
 */
final class FrozenWeights implements AutoCloseable {
    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String NORM = "model.norm.weight";

    /** The checkpoint's arrays by name, as they are mapped. */
    private final Map<String, INDArray> mapped = new HashMap<>();

    private final Checkpoint checkpoint;
    private final Precision precision;
    private final NativeMemory memory = new NativeMemory();
    private final List<Map<String, INDArray>> layers = new ArrayList<>();
    private final Map<String, INDArray> sharedByModule = new HashMap<>();
    private final INDArray norm;
    private final INDArray head;
    /** The layer whose weights lie in the shared arrays, or -1. */
    private int loaded = -1;

    /** @param residentBytes how much memory cast copies of layers may take for good */
    FrozenWeights(Checkpoint checkpoint, Precision precision, long residentBytes) throws IOException {
        this.checkpoint = checkpoint;
        this.precision = precision;
        List<Parameter> parameters = ParameterNames.of(checkpoint.config()).toList();
        for (Parameter parameter : parameters) {
            mapped.put(parameter.name(), checkpoint.weight(parameter.name()));
        }
        norm = resident(NORM);
        head = resident(headName());
        long left = residentBytes;
        for (int layer = 0; layer < checkpoint.config().layers(); layer++) {
            long bytes = 0;
            for (String module : LlamaGraph.LAYER_WEIGHTS) {
                INDArray weight = mapped(name(layer, module));
                bytes += needsCast(weight) ? weight.length() * type(weight).width() : 0;
            }
            boolean keep = bytes <= left;
            left -= keep ? bytes : 0;
            Map<String, INDArray> weights = new LinkedHashMap<>();
            for (String module : LlamaGraph.LAYER_WEIGHTS) {
                String name = name(layer, module);
                weights.put(module, keep || !needsCast(mapped(name)) ? resident(name) : shared(module, mapped(name)));
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

    /** The head's weight [V, D], in the type in which it is used. */
    INDArray head() {
        return head;
    }

    /** The embedding table [V, D], in the checkpoint's type. */
    INDArray embedding() {
        return mapped(EMBEDDING);
    }

    /** A layer's weight in an array that holds it without {@link #load}: as it is used, or else as it is mapped. */
    INDArray lasting(int layer, String module) {
        INDArray weight = Objects.requireNonNull(layers.get(layer).get(module));
        return weight == sharedByModule.get(module) ? mapped(name(layer, module)) : weight;
    }

    private String headName() {
        return checkpoint.config().tiedEmbeddings() ? EMBEDDING : "lm_head.weight";
    }

    @Override
    public void close() {
        memory.close();
    }

    /** The type in which a weight is used. */
    private DataType type(INDArray weight) {
        if (weight.rank() < 2) {
            return DataType.FLOAT;
        }
        return precision.reads(weight) ? weight.dataType() : precision.weights();
    }

    private boolean needsCast(INDArray weight) {
        return weight.dataType() != type(weight);
    }

    /** A weight for good. Where it is cast, the file's own pages, read once, are given back. */
    private INDArray resident(String name) {
        INDArray weight = mapped(name);
        if (!needsCast(weight)) {
            return weight;
        }
        INDArray copy = memory.array(type(weight), weight.shape());
        copy.assign(weight);
        checkpoint.evict(name);
        return copy;
    }

    private INDArray shared(String module, INDArray weight) {
        return sharedByModule.computeIfAbsent(module, key -> memory.array(type(weight), weight.shape()));
    }

    private INDArray mapped(String name) {
        return Objects.requireNonNull(mapped.get(name), () -> "the checkpoint has no " + name);
    }

    private static String name(int layer, String module) {
        return "model.layers." + layer + "." + module + ".weight";
    }
}
