package org.fedlora4j.benchmark.scale;

import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.model.Recompute;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Precision;

/**
 * Native memory of a training step in bytes; mapped weights are no part of it. Below, N = batch · tokens, D hidden size, Q
 * and K the widths of queries and keys, F feed-forward size, H heads, L layers, and w = 4 bytes in float32, 2 in 16 bits.
 *
 * @param attention what a layer keeps of its attention weights for the backward half: w H N tokens
 * @param layer what else it keeps: N (w (D + K + 2 F) + 4 D + v (Q + K)) + w N r for each adapted module, and in 16 bits its
 *     A and B; D once where anything of q, k and v is adapted; v is w, but 4 bytes in bf16 where a model is small
 * @param layers how many there are
 * @param hidden what goes from layer to layer, all inputs and two gradients: 4 N D (L + 3)
 * @param scratch what a half needs while it runs, about what the feed-forward does: N F (4 + 2 w)
 * @param tables rotations and the mask: 8 N (Q + K) + 4 N tokens
 */
public record StepMemory(double attention, double layer, int layers, double hidden, double scratch, double tables) {
    /** Of LoRA on q and v, the usual choice; with other modules more inputs are kept. */
    public static StepMemory of(LlamaConfig model, LoraConfig lora, Precision precision, int batch, int tokens) {
        double rows = (double) batch * tokens;
        int width = precision == Precision.F32 ? Float.BYTES : Short.BYTES;
        double hidden = model.hiddenSize();
        double queries = model.querySize();
        double keys = model.keyValueSize();
        double feedForward = model.intermediateSize();
        int queryWidth = precision.isWide(model.querySize()) ? Float.BYTES : width;
        double adapter = 0;
        for (ModuleShape module : ModuleShape.of(model, lora).values()) {
            double copies = width * (double) lora.rank() * (module.in() + module.out());
            adapter += width * rows * lora.rank() + (precision == Precision.F32 ? 0 : copies);
        }
        return new StepMemory(
                width * model.heads() * rows * tokens,
                rows
                                * (width * (hidden + keys + 2 * feedForward)
                                        + Float.BYTES * hidden
                                        + queryWidth * (queries + keys))
                        + adapter / model.layers(),
                model.layers(),
                Float.BYTES * rows * hidden * (model.layers() + 3),
                rows * feedForward * (Float.BYTES + 2.0 * width),
                rows * (2 * Float.BYTES * (queries + keys) + (double) Float.BYTES * tokens));
    }

    /** All of it. */
    public double bytes(Recompute recompute) {
        double kept = switch (recompute) {
            case NONE -> layers * (attention + layer);
            case ATTENTION -> layers * layer;
            case LAYER -> attention + layer;
        };
        return kept + hidden + scratch + tables;
    }
}
