package org.fedlora4j.lora;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.ElementType;
import org.fedlora4j.model.weights.Elements;
import org.fedlora4j.model.weights.WeightSource;

/**
 * A model's weights with an adapter folded in, {@code W + scale · B · A}: PEFT's {@code merge_and_unload}. Adapted
 * weights are computed in float32 and rounded once.
 */
public final class MergedWeights implements WeightSource {
    private static final String WEIGHT = ".weight";

    private final WeightSource base;
    private final AdapterState adapter;

    /** @param adapter of a model of this configuration */
    public MergedWeights(WeightSource base, AdapterState adapter) {
        this.base = base;
        this.adapter = adapter;
    }

    @Override
    public LlamaConfig config() {
        return base.config();
    }

    @Override
    public ElementType type(String name) {
        return base.type(name);
    }

    @Override
    public void read(String name, long begin, ElementType type, ByteBuffer out) throws IOException {
        String module = name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : name;
        LoraPair pair = adapter.modules().get(module);
        if (pair == null) {
            base.read(name, begin, type, out);
            return;
        }
        float[] values = new float[out.remaining() / type.bytes()];
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        base.read(name, begin, ElementType.F32, bytes);
        bytes.flip().asFloatBuffer().get(values);
        pair.addTo(values, begin, adapter.config().scale(module));
        try {
            Elements.encode(values, type, out);
        } catch (BadInputException e) {
            throw new BadInputException(name + " with the adapter " + e.getMessage(), e);
        }
    }
}
