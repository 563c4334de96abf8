package org.fedlora4j.benchmark.analysis;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.MagnitudeAxis;

/**
 * Pairs of adapters that are compared in one way, and means over them: each vector of each pair counts the same.
 *
 * @param name in tables, such as {@code client to client}
 * @param key in names of files, such as {@code clients}
 * @param pairs not empty, all with the same modules
 */
public record Comparison(String name, String key, List<AdapterDifference> pairs) {
    private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d+)\\..*");

    public Comparison {
        pairs = List.copyOf(pairs);
        if (pairs.isEmpty()) {
            throw new IllegalArgumentException(name + ": no pairs");
        }
    }

    /** Over all modules. */
    public Movement all(MagnitudeAxis axis) {
        return over(axis, module -> true);
    }

    /** Over the modules of each layer. */
    public SortedMap<Integer, Movement> layers(MagnitudeAxis axis) {
        SortedMap<Integer, Movement> layers = new TreeMap<>();
        for (String module : modules()) {
            layers.computeIfAbsent(layer(module), layer -> over(axis, each -> layer(each) == layer));
        }
        return layers;
    }

    /** Over the layers' modules of each kind, such as {@code q_proj}, in the order of the model. */
    public Map<String, Movement> targets(MagnitudeAxis axis) {
        Map<String, Movement> targets = new LinkedHashMap<>();
        for (String target : LoraConfig.PROJECTIONS) {
            Predicate<String> isTarget = module -> module.endsWith("." + target);
            if (modules().stream().anyMatch(isTarget)) {
                targets.put(target, over(axis, isTarget));
            }
        }
        return targets;
    }

    private Movement over(MagnitudeAxis axis, Predicate<String> modules) {
        return Movement.over(pairs.stream()
                .flatMap(pair -> pair.along(axis).entrySet().stream())
                .filter(entry -> modules.test(entry.getKey()))
                .map(Map.Entry::getValue)
                .toList());
    }

    private Set<String> modules() {
        return pairs.get(0).rows().keySet();
    }

    private static int layer(String module) {
        Matcher matcher = LAYER.matcher(module);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(module + ": not a module of a layer");
        }
        return Integer.parseInt(matcher.group(1));
    }
}
