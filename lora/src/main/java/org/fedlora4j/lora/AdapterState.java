package org.fedlora4j.lora;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;

/**
 * The values of an adapter.
 *
 * @param modules module path to its matrices, sorted by path; not empty
 */
public record AdapterState(LoraConfig config, SortedMap<String, LoraPair> modules) {
    public AdapterState {
        modules = Collections.unmodifiableSortedMap(new TreeMap<>(modules));
        if (modules.isEmpty()) {
            throw new IllegalArgumentException("an adapter without modules");
        }
        for (Map.Entry<String, LoraPair> entry : modules.entrySet()) {
            int wanted = config.rank(entry.getKey());
            if (entry.getValue().rank() != wanted) {
                throw new IllegalArgumentException(
                        entry.getKey() + ": rank " + entry.getValue().rank() + ", the settings say " + wanted);
            }
        }
    }

    /**
     * An adapter before training, as PEFT makes it: A uniform in ±1/sqrt(in), which is Kaiming's uniform distribution
     * with a = sqrt(5), and B zero, so that it changes nothing.
     *
     * @param shapes the sizes of the modules to adapt, by path
     * @param seed the same seed gives the same bits
     */
    public static AdapterState initial(LoraConfig config, Map<String, ModuleShape> shapes, long seed) {
        config.requirePatternsMatch(shapes.keySet());
        SplittableRandom random = new SplittableRandom(seed);
        SortedMap<String, LoraPair> modules = new TreeMap<>();
        for (Map.Entry<String, ModuleShape> entry : new TreeMap<>(shapes).entrySet()) {
            ModuleShape shape = entry.getValue();
            int rank = config.rank(entry.getKey());
            if (rank > Math.min(shape.in(), shape.out())) {
                throw new BadInputException("lora: rank " + rank + " of " + entry.getKey()
                        + ", wanted at most the smaller side of its weight [" + shape.out() + ", " + shape.in() + "]");
            }
            Matrix a = uniform(rank, shape.in(), 1 / Math.sqrt(shape.in()), random);
            modules.put(entry.getKey(), new LoraPair(a, Matrix.zeros(shape.out(), rank)));
        }
        return new AdapterState(config, modules);
    }

    /** The matrices of a module; asking for one that is not adapted is a mistake. */
    public LoraPair pair(String module) {
        return get(modules, module);
    }

    /** Every pair with zeros beyond its first {@code rank} components, see {@link LoraPair#cutTo}. */
    public AdapterState cutTo(int rank) {
        SortedMap<String, LoraPair> cut = new TreeMap<>();
        modules.forEach((module, pair) -> cut.put(module, pair.cutTo(rank)));
        return new AdapterState(config, cut);
    }

    /** Whether any B has left zero, where it starts. */
    public boolean isTrained() {
        return modules.values().stream().anyMatch(pair -> !pair.b().isZero());
    }

    static <T> T get(Map<String, T> modules, String module) {
        T value = modules.get(module);
        if (value == null) {
            throw new IllegalArgumentException(module + " is not adapted; these are: " + modules.keySet());
        }
        return value;
    }

    private static Matrix uniform(int rows, int columns, double bound, SplittableRandom random) {
        Matrix matrix = Matrix.zeros(rows, columns);
        for (int i = 0; i < matrix.values().length; i++) {
            matrix.values()[i] = (float) random.nextDouble(-bound, bound);
        }
        return matrix;
    }
}
