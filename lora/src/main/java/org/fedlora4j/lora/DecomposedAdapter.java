package org.fedlora4j.lora;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;

/**
 * An adapter as magnitudes and directions; {@link #toAdapter} gives back A and B to rounding.
 *
 * @param modules module path to its parts, sorted by path
 */
public record DecomposedAdapter(LoraConfig config, MagnitudeAxis axis, SortedMap<String, DecomposedPair> modules) {
    public DecomposedAdapter {
        modules = Collections.unmodifiableSortedMap(new TreeMap<>(modules));
    }

    /** Decomposes a trained adapter. B starts at zero and has no direction then, so an untrained one is refused. */
    public static DecomposedAdapter of(AdapterState adapter, MagnitudeAxis axis) {
        if (!adapter.isTrained()) {
            throw new BadInputException(
                    "warm-up needed: the adapter is untrained, every B is zero and has no direction to train");
        }
        SortedMap<String, DecomposedPair> modules = new TreeMap<>();
        adapter.modules().forEach((module, pair) -> modules.put(module, DecomposedPair.of(pair, axis)));
        return new DecomposedAdapter(adapter.config(), axis, modules);
    }

    /** The parts of a module; asking for one that is not adapted is a mistake. */
    public DecomposedPair pair(String module) {
        return AdapterState.get(modules, module);
    }

    public AdapterState toAdapter() {
        SortedMap<String, LoraPair> pairs = new TreeMap<>();
        for (Map.Entry<String, DecomposedPair> entry : modules.entrySet()) {
            pairs.put(entry.getKey(), entry.getValue().recompose(axis));
        }
        return new AdapterState(config, pairs);
    }
}
