package org.fedlora4j.model;

import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Every layer's keys (rotated) and values of earlier tokens, [B, K, S, h] each: S slots a row, filled in any order. */
final class KeyValueCache {
    private final int slots;
    private final List<INDArray> keys = new ArrayList<>();
    private final List<INDArray> values = new ArrayList<>();

    KeyValueCache(LlamaConfig config, int batch, int slots, NativeMemory memory) {
        this.slots = slots;
        for (int layer = 0; layer < config.layers(); layer++) {
            for (List<INDArray> arrays : List.of(keys, values)) {
                INDArray array = memory.floats(batch, config.keyValueHeads(), slots, config.headSize());
                // An empty slot is masked, but 0 times what stood there must be 0.
                array.assign(0);
                arrays.add(array);
            }
        }
    }

    INDArray keys(int layer) {
        return keys.get(layer);
    }

    INDArray values(int layer) {
        return values.get(layer);
    }

    /** Puts a layer's keys and values of T tokens, [B, K, T, h] each, into slots {@code at} to at + T. */
    void store(int layer, INDArray newKeys, INDArray newValues, int at) {
        copy(newKeys, keys.get(layer), at);
        copy(newValues, values.get(layer), at);
    }

    private void copy(INDArray from, INDArray to, int at) {
        long heads = from.size(0) * from.size(1);
        long width = from.size(3);
        long block = from.size(2) * width;
        for (long head = 0; head < heads; head++) {
            NativeArrays.copy(from, head * block, to, (head * slots + at) * width, block);
        }
    }
}
