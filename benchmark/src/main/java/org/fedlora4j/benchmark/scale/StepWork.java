package org.fedlora4j.benchmark.scale;

import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * What a training step of [batch, tokens] tokens, all of them targets, has to do.
 *
 * @param weightBytes of frozen weights that it reads, once forward and once backward
 * @param products operations (a multiplication and an addition are two) of all products with weights: x·Wᵀ forward, dy·W
 *     backward, and of the adapter these and the gradients of A and B
 * @param attention operations of attention's products, Q·Kᵀ and A·V forward and four as large backward
 */
record StepWork(double weightBytes, double products, double attention) {
    private static final int BF16_BYTES = 2;

    /** In bf16, in which products that read a norm multiply both halves of it: see docs/design-decisions.md. */
    static StepWork inBf16(LlamaConfig model, LoraConfig lora, int batch, int tokens) {
        double rows = (double) batch * tokens;
        double ofNorm = model.layers()
                        * (double) model.hiddenSize()
                        * (model.querySize() + 2.0 * model.keyValueSize() + 2.0 * model.intermediateSize())
                + head(model);
        double others =
                model.layers() * (double) model.hiddenSize() * ((double) model.querySize() + model.intermediateSize());
        double adapter = ModuleShape.of(model, lora).values().stream()
                .mapToDouble(module -> (double) lora.rank() * (module.in() + module.out()))
                .sum();
        return new StepWork(
                2 * BF16_BYTES * (ofNorm + others),
                2 * rows * (3 * ofNorm + 2 * others + 3 * adapter),
                12.0 * batch * model.layers() * model.querySize() * tokens * tokens);
    }

    private static double head(LlamaConfig model) {
        return (double) model.vocabularySize() * model.hiddenSize();
    }
}
