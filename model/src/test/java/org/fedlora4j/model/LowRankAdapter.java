package org.fedlora4j.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.fedlora4j.kernels.LowRank;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.nn.Projection;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Variables in a model's graph as LoRA has them: y = W·x + B·A·x for two modules of each layer. */
final class LowRankAdapter implements Adapter, AutoCloseable {
    private static final Set<String> MODULES = Set.of("self_attn.k_proj", "mlp.up_proj");
    private static final int RANK = 3;

    private final NativeMemory memory = new NativeMemory();
    private final List<Map<String, INDArray>> variables = new ArrayList<>();
    private final List<Map<String, INDArray>> gradients = new ArrayList<>();

    LowRankAdapter(LlamaConfig config, Random random) {
        for (int layer = 0; layer < config.layers(); layer++) {
            variables.add(new HashMap<>());
            gradients.add(new HashMap<>());
            for (String module : MODULES) {
                int out = module.startsWith("mlp") ? config.intermediateSize() : config.keyValueSize();
                add(layer, module + ".a", random, RANK, config.hiddenSize());
                add(layer, module + ".b", random, out, RANK);
            }
        }
    }

    private void add(int layer, String name, Random random, long... shape) {
        INDArray variable = memory.floats(shape);
        variable.assign(TinyModel.array(random, shape));
        variables.get(layer).put(name, variable);
        gradients.get(layer).put(name, memory.floats(shape));
    }

    /** All gradients, as they are now. */
    Map<String, float[]> gradientValues() {
        Map<String, float[]> values = new HashMap<>();
        for (int layer = 0; layer < gradients.size(); layer++) {
            String prefix = layer + ".";
            gradients
                    .get(layer)
                    .forEach((name, gradient) ->
                            values.put(prefix + name, gradient.ravel().toFloatVector()));
        }
        return values;
    }

    @Override
    public Projection adapt(SameDiff graph, int layer, String module, Projection frozen, int rows, boolean training) {
        if (!MODULES.contains(module)) {
            return frozen;
        }
        SDVariable a = graph.var(module + ".a", variables.get(layer).get(module + ".a"));
        SDVariable b = graph.var(module + ".b", variables.get(layer).get(module + ".b"));
        return (g, x) -> {
            SDVariable low = g.mmul(x, a, false, true, false);
            return frozen.apply(g, x).add(g.mmul(low, b, false, true, false));
        };
    }

    @Override
    public Optional<Map<String, LowRank>> additions(int layer) {
        Map<String, LowRank> additions = new HashMap<>();
        for (String module : MODULES) {
            INDArray a = variable(layer, module + ".a");
            INDArray b = variable(layer, module + ".b");
            float[] transposed = b.transpose().dup('c').ravel().toFloatVector();
            additions.put(module, new LowRank(a.ravel().toFloatVector(), transposed, RANK));
        }
        return Optional.of(additions);
    }

    private INDArray variable(int layer, String name) {
        return Objects.requireNonNull(variables.get(layer).get(name));
    }

    @Override
    public Map<String, INDArray> variables(int layer) {
        return variables.get(layer);
    }

    @Override
    public Map<String, INDArray> gradients(int layer) {
        return gradients.get(layer);
    }

    @Override
    public void close() {
        memory.close();
    }
}
