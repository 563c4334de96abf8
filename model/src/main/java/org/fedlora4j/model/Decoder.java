package org.fedlora4j.model;

/** Runs texts token by token, each token once: what later ones need of it is kept. */
interface Decoder extends AutoCloseable {
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
