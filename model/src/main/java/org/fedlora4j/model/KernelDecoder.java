package org.fedlora4j.model;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Decoding by kernels: new tokens go through a {@link TokenPass}, and so do short prompts; longer ones run through an
 * ordinary evaluation plan, whose products are faster once it is compiled. Rows keep their own lengths, and those that
 * have ended cost nothing.
 */
final class KernelDecoder implements Decoder {
    /** Prompts of so many tokens in all are run before a plan would be compiled. */
    private static final int SHORT = 64;

    /** Tokens of a prompt in one pass: enough to share the reading of weights, few enough to stay in the cache. */
    private static final int CHUNK = 16;

    private final LanguageModel model;
    private final Adapter adapter;
    private final TokenBatch prompts;
    private final TextCache cache;
    private final TokenPass pass;
    /** Tokens of each row that are in the cache. */
    private final int[] lengths;

    /**
     * A decoder of texts in a cache, which it closes.
     *
     * @param known how many of each prompt's first tokens are in the cache, less than all
     */
    KernelDecoder(LanguageModel model, Adapter adapter, TokenBatch prompts, TextCache cache, int known) {
        this.model = model;
        this.adapter = adapter;
        this.prompts = prompts;
        this.cache = cache;
        pass = new TokenPass(model.config(), model.weights(), adapter, cache);
        lengths = new int[prompts.rows()];
        Arrays.fill(lengths, known);
    }

    /** A decoder of new texts. */
    static KernelDecoder of(LanguageModel model, Adapter adapter, TokenBatch prompts, int maxNewTokens) {
        TextCache cache = new TextCache(model.config(), prompts.rows(), prompts.longest() + maxNewTokens);
        return new KernelDecoder(model, adapter, prompts, cache, 0);
    }

    @Override
    public float[][] start() {
        boolean byPlan = lengths[0] == 0 && prompts.tokens() > SHORT;
        return byPlan ? startByPlan() : startByPasses();
    }

    private float[][] startByPlan() {
        BatchPlan plan =
                model.plan(adapter, new LlamaGraph.LayerShape(prompts.rows(), prompts.paddedLength(), 0, false));
        for (int row = 0; row < lengths.length; row++) {
            lengths[row] = prompts.ids()[row].length;
        }
        INDArray hidden = plan.forward(prompts, (layer, output) -> {
            if (layer >= 0) {
                cache.store(layer, plan.keys(), plan.values(), lengths);
            }
        });
        return model.head().logits(hidden, prompts.lastRows());
    }

    private float[][] startByPasses() {
        int width = model.config().hiddenSize();
        float[] last = new float[prompts.rows() * width];
        for (int row = 0; row < lengths.length; row++) {
            int[] ids = prompts.ids()[row];
            while (lengths[row] < ids.length) {
                int count = Math.min(CHUNK, ids.length - lengths[row]);
                int[] rows = new int[count];
                Arrays.fill(rows, row);
                float[] hidden = run(rows, Arrays.copyOfRange(ids, lengths[row], lengths[row] + count));
                System.arraycopy(hidden, (count - 1) * width, last, row * width, width);
            }
        }
        return pass.logits(last);
    }

    @Override
    public float[][] next(int[] rows, int[] tokens) {
        return pass.logits(run(rows, tokens));
    }

    /** Runs the next tokens of rows. */
    private float[] run(int[] rows, int[] tokens) {
        int[] positions = new int[rows.length];
        for (int i = 0; i < rows.length; i++) {
            positions[i] = lengths[rows[i]]++;
        }
        return pass.run(rows, tokens, positions);
    }

    /** How many tokens of a row are in the cache: all but the newest, if that was not run. */
    int length(int row) {
        return lengths[row];
    }

    @Override
    public void close() {
        cache.close();
    }
}
