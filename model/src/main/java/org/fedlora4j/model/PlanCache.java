package org.fedlora4j.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Batch plans by what they were compiled for, under a bound on their memory: the least recently used are closed first. The
 * two used last stay, however large: generation has one for the prompt and one for the tokens after it.
 */
final class PlanCache implements AutoCloseable {
    record Key(Adapter adapter, LlamaGraph.LayerShape shape) {}

    private final long maximumBytes;
    /** Least recently used first. */
    private final Map<Key, BatchPlan> plans = new LinkedHashMap<>(16, 0.75f, true);

    private long compileNanos;

    PlanCache(long maximumBytes) {
        this.maximumBytes = maximumBytes;
    }

    BatchPlan get(Key key, Function<Key, BatchPlan> compile) {
        BatchPlan plan = plans.get(key);
        if (plan == null) {
            long began = System.nanoTime();
            plan = compile.apply(key);
            compileNanos += System.nanoTime() - began;
            plans.put(key, plan);
            long bytes = bytes();
            List<Map.Entry<Key, BatchPlan>> oldestFirst = new ArrayList<>(plans.entrySet());
            for (Map.Entry<Key, BatchPlan> old : oldestFirst.subList(0, Math.max(0, oldestFirst.size() - 2))) {
                if (bytes > maximumBytes) {
                    bytes -= old.getValue().bytes();
                    drop(old.getKey()::equals);
                }
            }
        }
        return plan;
    }

    /** How long plans have been compiled, all together. */
    double compileMillis() {
        return compileNanos / 1e6;
    }

    /** Native memory of the plans' own; the workspace is not counted. */
    long bytes() {
        return plans.values().stream().mapToLong(BatchPlan::bytes).sum();
    }

    /** Closes the plans of some keys. */
    void drop(Predicate<Key> keys) {
        plans.entrySet().removeIf(entry -> {
            boolean dropped = keys.test(entry.getKey());
            if (dropped) {
                entry.getValue().close();
            }
            return dropped;
        });
    }

    @Override
    public void close() {
        drop(key -> true);
    }
}
