package org.fedlora4j.model;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Greedy generation with a key-value cache. The prompts run through an ordinary evaluation plan; then a plan for one token
 * a row runs once per new token. Rows are padded to one length, so new tokens have the same slot in all rows, while each
 * row counts its own positions.
 */
final class Generator {
    private static final int SLOTS_STEP = 64;

    private final LanguageModel model;
    private final Adapter adapter;

    Generator(LanguageModel model, Adapter adapter) {
        this.model = model;
        this.adapter = adapter;
    }

    /** See {@link AdaptedModel#generate}. */
    int[][] generate(TokenBatch prompts, LlamaGraph.LayerShape promptShape, int maxNewTokens, int eosId) {
        int batch = prompts.rows();
        int promptSlots = promptShape.tokens();
        int slots = (promptSlots + maxNewTokens + SLOTS_STEP - 1) / SLOTS_STEP * SLOTS_STEP;
        BatchPlan decode = model.plan(adapter, new LlamaGraph.LayerShape(batch, 1, slots, false));
        BatchPlan prefill = model.plan(adapter, promptShape);

        INDArray hidden = prefill.forward(prompts, (layer, output) -> {
            if (layer >= 0) {
                decode.cache().store(layer, prefill.keys(), prefill.values(), 0);
            }
        });
        int[] lastRows = new int[batch];
        int[] rows = new int[batch];
        float[][] masks = new float[batch][slots + 1];
        for (int row = 0; row < batch; row++) {
            int length = prompts.ids()[row].length;
            lastRows[row] = row * promptSlots + length - 1;
            rows[row] = row;
            Arrays.fill(masks[row], length, slots, BatchPlan.MASKED);
        }
        int[] next = largest(model.head().logits(hidden, lastRows));

        int[][] generated = new int[batch][maxNewTokens];
        int[] lengths = new int[batch];
        boolean[] finished = new boolean[batch];
        for (int step = 0; step < maxNewTokens; step++) {
            for (int row = 0; row < batch; row++) {
                finished[row] |= next[row] == eosId;
                if (!finished[row]) {
                    generated[row][lengths[row]++] = next[row];
                }
            }
            if (step + 1 == maxNewTokens || allOf(finished)) {
                break;
            }
            int[] positions = new int[batch];
            for (int row = 0; row < batch; row++) {
                positions[row] = prompts.ids()[row].length + step;
            }
            int slot = promptSlots + step;
            hidden = decode.decode(next, positions, masks, slot);
            for (float[] mask : masks) {
                mask[slot] = 0;
            }
            next = largest(model.head().logits(hidden, rows));
        }
        for (int row = 0; row < batch; row++) {
            generated[row] = Arrays.copyOf(generated[row], lengths[row]);
        }
        return generated;
    }

    private static boolean allOf(boolean[] flags) {
        for (boolean flag : flags) {
            if (!flag) {
                return false;
            }
        }
        return true;
    }

    private static int[] largest(float[][] logits) {
        int[] largest = new int[logits.length];
        for (int row = 0; row < logits.length; row++) {
            for (int token = 1; token < logits[row].length; token++) {
                if (logits[row][token] > logits[row][largest[row]]) {
                    largest[row] = token;
                }
            }
        }
        return largest;
    }
}
