package org.fedlora4j.benchmark.scale;

import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.Precision;

/**
 * What a training step of [batch, tokens] tokens, all of them targets, has to do.
 *
 * @param weightBytes of frozen weights that it reads, once forward and once backward
 * @param products operations (a multiplication and an addition are two) of all products with weights: x·Wᵀ forward, dy·W
 *     backward, and of the adapter these and the gradients of A and B
 * @param attention operations of attention's products, Q·Kᵀ and A·V forward and four as large backward
 */
public record StepWork(double weightBytes, double products, double attention) {
    /** Weights have 16 bits. Where {@link Precision#isWide} holds, products that read a norm multiply both parts of it. */
    public static StepWork of(LlamaConfig model, LoraConfig lora, Precision precision, int batch, int tokens) {
        double rows = (double) batch * tokens;
        double hidden = model.hiddenSize();
        double ofNorm = model.layers()
                        * hidden
                        * (model.querySize() + 2.0 * model.keyValueSize() + 2.0 * model.intermediateSize())
                + hidden * model.vocabularySize();
        double others = model.layers() * hidden * ((double) model.querySize() + model.intermediateSize());
        double adapter = 0;
        for (ModuleShape module : ModuleShape.of(model, lora).values()) {
            adapter += (double) lora.rank() * (module.in() + module.out());
        }
        int forward = precision.isWide(model.hiddenSize()) ? 2 : 1;
        return new StepWork(
                2 * Short.BYTES * (ofNorm + others),
                2 * rows * ((forward + 1) * ofNorm + 2 * others + 3 * adapter),
                12.0 * batch * model.layers() * model.querySize() * tokens * tokens);
    }
}
