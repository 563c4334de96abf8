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
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A checkpoint's weights as arrays that a plan can be bound to: as they come from {@link SourceWeights}, if products read
 * their type as it is. Others are cast: once, into arrays of their own, as long as these fit into a budget; else each time a layer is about
 * to run, into arrays that all layers share. Norms are float32 always.
 */
final class FrozenWeights implements AutoCloseable {
    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String NORM = "model.norm.weight";

    private final Checkpoint checkpoint;
    private final SourceWeights source;
    private final Precision precision;
    private final NativeMemory memory = new NativeMemory();
    private final List<Map<String, INDArray>> layers = new ArrayList<>();
    private final Map<String, INDArray> sharedByModule = new HashMap<>();
    private final INDArray norm;
    private final INDArray head;
    private final INDArray embedding;
    /** The layer whose weights lie in the shared arrays, or -1. */
    private int loaded = -1;

    /** @param residentBytes how much memory cast copies of layers may take for good */
    FrozenWeights(Checkpoint checkpoint, Precision precision, long residentBytes) throws IOException {
        this.checkpoint = checkpoint;
        this.precision = precision;
        source = new SourceWeights(checkpoint);
        norm = resident(NORM);
        head = resident(headName());
        embedding = source.open(EMBEDDING);
        long left = residentBytes;
        for (int layer = 0; layer < checkpoint.config().layers(); layer++) {
            long bytes = 0;
            for (String module : LlamaGraph.LAYER_WEIGHTS) {
                INDArray weight = source.open(name(layer, module));
                bytes += needsCast(weight) ? weight.length() * type(weight).width() : 0;
            }
            boolean keep = bytes <= left;
            left -= keep ? bytes : 0;
            Map<String, INDArray> weights = new LinkedHashMap<>();
            for (String module : LlamaGraph.LAYER_WEIGHTS) {
                String name = name(layer, module);
                weights.put(
                        module,
                        keep || !needsCast(source.get(name)) ? resident(name) : shared(module, source.get(name)));
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
                weight.getValue().assign(source.get(name(layer, weight.getKey())));
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
        return embedding;
    }

    /** A layer's weight in an array that holds it without {@link #load}: as it is used, or else as the file has it. */
    INDArray lasting(int layer, String module) {
        INDArray weight = Objects.requireNonNull(layers.get(layer).get(module));
        return weight == sharedByModule.get(module) ? source.get(name(layer, module)) : weight;
    }

    private String headName() {
        return checkpoint.config().tiedEmbeddings() ? EMBEDDING : "lm_head.weight";
    }

    @Override
    public void close() {
        memory.close();
        source.close();
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

    /** A weight for good. Where it is cast, what it was cast from, read once, is given back. */
    private INDArray resident(String name) throws IOException {
        INDArray weight = source.open(name);
        if (!needsCast(weight)) {
            return weight;
        }
        INDArray copy = memory.array(type(weight), weight.shape());
        copy.assign(weight);
        source.release(name);
        return copy;
    }

    private INDArray shared(String module, INDArray weight) {
        return sharedByModule.computeIfAbsent(module, key -> memory.array(type(weight), weight.shape()));
    }

    private static String name(int layer, String module) {
        return "model.layers." + layer + "." + module + ".weight";
    }
}
