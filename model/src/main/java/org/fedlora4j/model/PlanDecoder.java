package org.fedlora4j.model;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Decoding by execution plans: the prompts run through an ordinary evaluation plan, then a plan for one token a row runs
 * once per new token. Rows are padded to one length, so new tokens have the same slot in all rows, while each row counts
 * its own positions.
 */
final class PlanDecoder implements Decoder {
    private static final int SLOTS_STEP = 64;

    private final Head head;
    private final TokenBatch prompts;
    private final BatchPlan prefill;
    private final BatchPlan decode;
    private final int promptSlots;
    private final float[][] masks;
    private int steps;

    PlanDecoder(LanguageModel model, Adapter adapter, TokenBatch prompts, int maxNewTokens) {
        this.head = model.head();
        this.prompts = prompts;
        promptSlots = prompts.paddedLength();
        int slots = (promptSlots + maxNewTokens + SLOTS_STEP - 1) / SLOTS_STEP * SLOTS_STEP;
        decode = model.plan(adapter, new LlamaGraph.LayerShape(prompts.rows(), 1, slots, false));
        prefill = model.plan(adapter, new LlamaGraph.LayerShape(prompts.rows(), promptSlots, 0, false));
        masks = new float[prompts.rows()][slots + 1];
        for (int row = 0; row < masks.length; row++) {
            Arrays.fill(masks[row], prompts.ids()[row].length, slots, BatchInputs.MASKED);
        }
    }

    @Override
    public float[][] start() {
        INDArray hidden = prefill.forward(prompts, (layer, output) -> {
            if (layer >= 0) {
                decode.cache().store(layer, prefill.keys(), prefill.values(), 0);
            }
        });
        return head.logits(hidden, prompts.lastRows());
    }

    /** Rows that are not asked for run on with a token that nobody sees. */
    @Override
    public float[][] next(int[] rows, int[] tokens) {
        int[] all = new int[prompts.rows()];
        for (int i = 0; i < rows.length; i++) {
            all[rows[i]] = tokens[i];
        }
        int[] positions =
                Arrays.stream(prompts.ids()).mapToInt(row -> row.length + steps).toArray();
        int slot = promptSlots + steps++;
        INDArray hidden = decode.decode(all, positions, masks, slot);
        for (float[] mask : masks) {
            mask[slot] = 0;
        }
        return head.logits(hidden, rows);
    }

    /** The plans are the model's. */
    @Override
    public void close() {}
}
