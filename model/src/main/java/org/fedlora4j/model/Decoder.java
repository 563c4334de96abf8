package org.fedlora4j.model;

import org.fedlora4j.model.exec.Kernel;

/** Runs texts token by token, each token once: what later ones need of it is kept. */
interface Decoder extends AutoCloseable {
    /** The fastest that is to be had here for this adapter. */
    static Decoder of(LanguageModel model, Adapter adapter, TokenBatch prompts, int maxNewTokens) {
        return kernelsCan(adapter)
                ? KernelDecoder.of(model, adapter, prompts, maxNewTokens)
                : new PlanDecoder(model, adapter, prompts, maxNewTokens);
    }

    /** Whether {@link KernelDecoder} can be had here for an adapter. */
    static boolean kernelsCan(Adapter adapter) {
        return Kernel.available() && adapter.additions(0).isPresent();
    }

    /**
     * Takes the prompts.
     *
     * @return what may follow each, logits [rows][V]
     */
    float[][] start();

    /**
     * Takes the next token of some rows.
     *
     * @param rows ascending
     * @param tokens [rows]
     * @return what may follow each, logits [rows][V]; valid until the next call
     */
    float[][] next(int[] rows, int[] tokens);

    @Override
    void close();
}
