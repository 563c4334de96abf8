package org.fedlora4j.lora;

import java.util.Map;
import java.util.TreeMap;
import org.fedlora4j.model.config.LlamaConfig;

/** The sizes of a linear projection: its frozen weight is [out, in]. */
public record ModuleShape(int in, int out) {
    public ModuleShape {
        if (in < 1 || out < 1) {
            throw new IllegalArgumentException("in " + in + ", out " + out + ": both must be at least 1");
        }
    }

    /** The shape of a module of a model, by its path such as {@code model.layers.0.self_attn.q_proj}. */
    public static ModuleShape of(LlamaConfig model, String module) {
        int hidden = model.hiddenSize();
        return switch (module.substring(module.lastIndexOf('.') + 1)) {
            case "q_proj" -> new ModuleShape(hidden, model.querySize());
            case "k_proj", "v_proj" -> new ModuleShape(hidden, model.keyValueSize());
            case "o_proj" -> new ModuleShape(model.querySize(), hidden);
            case "gate_proj", "up_proj" -> new ModuleShape(hidden, model.intermediateSize());
            case "down_proj" -> new ModuleShape(model.intermediateSize(), hidden);
            default -> throw new IllegalArgumentException(module + " is no linear projection");
        };
    }

    /** The shapes of all modules that a configuration adapts, by path. */
    public static Map<String, ModuleShape> of(LlamaConfig model, LoraConfig config) {
        Map<String, ModuleShape> shapes = new TreeMap<>();
        config.modules(model.layers()).forEach(module -> shapes.put(module, of(model, module)));
        return shapes;
    }
}
