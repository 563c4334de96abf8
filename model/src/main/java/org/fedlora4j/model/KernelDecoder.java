package org.fedlora4j.model;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Decoding by kernels: prompts and new tokens go through a {@link TokenPass}, long prompts through an ordinary evaluation
 * plan. Rows keep their own lengths, and those that have ended cost nothing.
 */
final class KernelDecoder implements Decoder {
    /**
     * Prompts of so many tokens in all are run without a plan, which takes a second to compile: one of 512 tokens of
     * SmolLM2 then takes the same time, eight of 64 take three quarters of it.
     */
    static final int SHORT = 512;

    private final LanguageModel model;
    private final Adapter adapter;
    private final TokenBatch prompts;
    private final DecodingMemory memory;
    private final TokenPass pass;
    /** Tokens of each row that are in the memory. */
    private final int[] lengths;

    /**
     * A decoder of texts in a memory, which it closes.
     *
     * @param known how many of each prompt's first tokens are in the memory, less than all
     */
    KernelDecoder(LanguageModel model, Adapter adapter, TokenBatch prompts, DecodingMemory memory, int known) {
        this.model = model;
        this.adapter = adapter;
        this.prompts = prompts;
        this.memory = memory;
        pass = new TokenPass(model, adapter, memory);
        lengths = new int[prompts.rows()];
        Arrays.fill(lengths, known);
    }

    /** A decoder of new texts. */
    static KernelDecoder of(LanguageModel model, Adapter adapter, TokenBatch prompts, int maxNewTokens) {
        DecodingMemory memory = new DecodingMemory(model.config(), prompts.rows(), prompts.longest() + maxNewTokens);
        return new KernelDecoder(model, adapter, prompts, memory, 0);
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
                memory.store(layer, plan.keys(), plan.values(), lengths);
            }
        });
        return model.head().logits(hidden, prompts.lastRows());
    }

    /** Row after row, several in one pass where they are short. */
    private float[][] startByPasses() {
        int[] rows = IntStream.range(0, lengths.length)
                .flatMap(row -> IntStream.generate(() -> row).limit(prompts.ids()[row].length - lengths[row]))
                .toArray();
        int width = model.config().hiddenSize();
        float[] last = new float[lengths.length * width];
        for (int begin = 0; begin < rows.length; begin += DecodingMemory.PASS) {
            int[] some = Arrays.copyOfRange(rows, begin, Math.min(begin + DecodingMemory.PASS, rows.length));
            int[] tokens = new int[some.length];
            int[] positions = new int[some.length];
            for (int i = 0; i < some.length; i++) {
                positions[i] = lengths[some[i]]++;
                tokens[i] = prompts.ids()[some[i]][positions[i]];
            }
            float[] hidden = pass.run(some, tokens, positions);
            for (int i = 0; i < some.length; i++) {
                // A row's last token is the one that stays.
                System.arraycopy(hidden, i * width, last, some[i] * width, width);
            }
        }
        return pass.logits(last);
    }

    @Override
    public float[][] next(int[] rows, int[] tokens) {
        int[] positions = new int[rows.length];
        for (int i = 0; i < rows.length; i++) {
            positions[i] = lengths[rows[i]]++;
        }
        return pass.logits(pass.run(rows, tokens, positions));
    }

    /** How many tokens of a row are in the memory: all but the newest, if that was not run. */
    int length(int row) {
        return lengths[row];
    }

    @Override
    public void close() {
        memory.close();
    }
}
