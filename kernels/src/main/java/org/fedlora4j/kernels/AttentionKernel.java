package org.fedlora4j.kernels;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.Arrays;
import org.fedlora4j.kernels.Product.Operand;
import org.fedlora4j.kernels.Product.Sum;

/**
 * Attention of many heads and its gradients, softmax(q·kᵀ/√h + mask)·v, in blocks of queries: the scores of a block stay in
 * the cache, and what the mask hides from all of a block is not computed (Dao, arXiv 2307.08691). Blocks of all heads are
 * shared among the {@link Team}'s members.
 *
 * <p>B batch, T tokens, H query heads, K key-value heads, h head size. Values and the gradient of the output are float32, or
 * both bfloat16. Then all products are of bfloat16, summed in float32; and where queries and keys are float32, those for
 * scores are of {@link BrainParts}, since a small error of a score is a large one of a weight.
 */
public final class AttentionKernel {
    /** Rows of a block. */
    static final int BLOCK = 128;

    /** The parts of all queries, [B·T, H·3·h], and of all keys, [B·T, K·3·h], while the kernel runs. */
    private static final NativeBlock QUERY_PARTS = new NativeBlock();

    private static final NativeBlock KEY_PARTS = new NativeBlock();

    /** B, T, H, K and h. */
    public record Dimensions(int batch, int tokens, int heads, int keyValueHeads, int headSize) {
        int queryWidth() {
            return heads * headSize;
        }

        int keyWidth() {
            return keyValueHeads * headSize;
        }
    }

    private final Dimensions d;
    private final boolean bf16;
    private final boolean inParts;
    private final int bytes;
    private final Product.Type type;
    /** How long the products of a query and a key are. */
    private final int inner;

    private final Operand queries;
    private final Operand keys;
    private final Operand values;
    private final Operand outputGradients;

    /**
     * Attention of such arrays.
     *
     * @param queryType of queries and keys: float32, or the values' type
     * @param type of values and the gradient of the output: float32 or bfloat16
     */
    public AttentionKernel(Dimensions dimensions, Product.Type queryType, Product.Type type) {
        this.d = dimensions;
        this.type = type;
        bf16 = type == Product.Type.BF16;
        inParts = queryType != type;
        bytes = type.bytes();
        int parts = inParts ? BrainParts.COUNT : 1;
        inner = parts * d.headSize;
        queries = new Operand(type, false, (long) parts * d.queryWidth());
        keys = new Operand(type, false, (long) parts * d.keyWidth());
        values = new Operand(type, false, d.keyWidth());
        outputGradients = new Operand(type, false, d.queryWidth());
    }

    /** The elements that {@link #forward} keeps: B · H · T rows of weights, each in whole vectors. */
    public static long keptElements(Dimensions d) {
        return (long) d.batch * d.heads * d.tokens * Lanes.roundUp(d.tokens);
    }

    /** Where arrays lie: queries [B·T, H·h], keys and values [B·T, K·h]. */
    public record Inputs(long queries, long keys, long values, FloatBuffer mask) {}

    /**
     * The heads' outputs.
     *
     * @param inputs the mask is [B, 1, T, T], 0 or very negative
     * @param output [B·T, H·h], overwritten, float32 or bfloat16
     * @param kept {@link #keptElements} for the attention weights, in the values' type, overwritten; 0 to keep none
     */
    public void forward(Inputs inputs, long output, Product.Type outputType, long kept) {
        if (!inParts) {
            forward(inputs, inputs.queries, inputs.keys, output, outputType, kept);
            return;
        }
        // Another caller must not overwrite the parts while they are read.
        synchronized (KEY_PARTS) {
            forward(inputs, queryParts(inputs), keyParts(inputs), output, outputType, kept);
        }
    }

    private void forward(Inputs inputs, long queriesAt, long keysAt, long output, Product.Type outputType, long kept) {
        Visible visible = Visible.in(inputs.mask, d.batch * d.tokens, d.tokens);
        Operand result = new Operand(outputType, false, d.queryWidth());
        inBlocks((member, batch, head, row, rows) -> {
            int width = visible.width(batch * d.tokens + row, rows);
            long at = at(batch, head, row, outputGradients);
            AttentionBlock block = new AttentionBlock(d, bf16, width, keptAt(kept, batch, head, row), member);
            long query = queriesAt + at(batch, head, row, queries) * bytes;
            scores(member, query, keysAt + keyAt(batch, head, keys) * bytes, rows, width, block);
            block.makeWeights(inputs.mask, visible, batch * d.tokens + row, rows);
            product(rows, width, d.headSize, weights(width), values, result, Sum.NOTHING)
                    .run(
                            member,
                            block.weights,
                            inputs.values + keyAt(batch, head, values) * bytes,
                            output + at * outputType.bytes(),
                            0);
        });
    }

    /**
     * Where the gradients by queries, keys and values go.
     *
     * @param queries float [B·T, H·h], overwritten
     * @param keys float [B·T, K·h], overwritten
     * @param values float [B·T, K·h], overwritten
     * @param heads float [2, B·T, H·h], overwritten: the gradients of keys and values by each query head
     * @param headsAt where these are
     */
    public record Gradients(long queries, FloatBuffer keys, FloatBuffer values, FloatBuffer heads, long headsAt) {}

    /**
     * The gradients.
     *
     * @param outputGradient [B·T, H·h], in the values' type
     * @param kept what {@link #forward} kept, or 0: then it is computed again
     */
    public void backward(Inputs inputs, long outputGradient, long kept, Gradients gradients) {
        if (!inParts) {
            backward(inputs, inputs.queries, inputs.keys, outputGradient, kept, gradients);
            return;
        }
        synchronized (KEY_PARTS) {
            backward(inputs, queryParts(inputs), keyParts(inputs), outputGradient, kept, gradients);
        }
    }

    private void backward(
            Inputs inputs, long queriesAt, long keysAt, long outputGradient, long kept, Gradients gradients) {
        Visible visible = Visible.in(inputs.mask, d.batch * d.tokens, d.tokens);
        Operand floats = new Operand(Product.Type.F32, false, d.queryWidth());
        long half = (long) d.batch * d.tokens * d.queryWidth() * Float.BYTES;
        // A head's blocks add to the same keys, so one member does them all.
        Team.run(d.batch * d.heads, 1, (from, to, member) -> {
            for (int unit = from; unit < to; unit++) {
                int batch = unit / d.heads;
                int head = unit % d.heads;
                // The last block first: it sees most, and writes what the others add to.
                int last = (d.tokens - 1) / BLOCK * BLOCK;
                clear(member, gradients.heads, batch, head, visible.width(batch * d.tokens + last, d.tokens - last));
                for (int row = last; row >= 0; row -= BLOCK) {
                    Sum sum = row == last ? Sum.NOTHING : Sum.RESULT;
                    int rows = Math.min(BLOCK, d.tokens - row);
                    int width = visible.width(batch * d.tokens + row, rows);
                    long at = at(batch, head, row, outputGradients);
                    long query = queriesAt + at(batch, head, row, queries) * bytes;
                    long key = keysAt + keyAt(batch, head, keys) * bytes;
                    long value = inputs.values + keyAt(batch, head, values) * bytes;
                    AttentionBlock block = new AttentionBlock(d, bf16, width, keptAt(kept, batch, head, row), member);
                    if (kept == 0) {
                        scores(member, query, key, rows, width, block);
                    }
                    product(rows, d.headSize, width, outputGradients, turned(values), scores(width), Sum.NOTHING)
                            .run(member, outputGradient + at * bytes, value, block.gradients, 0);
                    block.makeScoreGradients(inputs.mask, visible, batch * d.tokens + row, rows, kept == 0);
                    long ofKeys = gradients.headsAt + at(batch, head, 0, outputGradients) * Float.BYTES;
                    product(width, rows, d.headSize, turned(weights(width)), queries, floats, sum)
                            .run(member, block.scoreGradients, query, ofKeys, 0);
                    product(width, rows, d.headSize, turned(weights(width)), outputGradients, floats, sum)
                            .run(member, block.weights, outputGradient + at * bytes, ofKeys + half, 0);
                    product(rows, width, d.headSize, weights(width), keys, floats, Sum.NOTHING)
                            .run(member, block.scoreGradients, key, gradients.queries + at * Float.BYTES, 0);
                }
            }
        });
        sumGroups(gradients.heads, 0, gradients.keys);
        sumGroups(gradients.heads, d.batch * d.tokens * d.queryWidth(), gradients.values);
    }

    private long queryParts(Inputs inputs) {
        return parts(inputs.queries, d.heads, BrainParts.Side.QUERY, QUERY_PARTS);
    }

    private long keyParts(Inputs inputs) {
        return parts(inputs.keys, d.keyValueHeads, BrainParts.Side.KEY, KEY_PARTS);
    }

    /** Makes the parts of rows of heads; where they are. */
    private long parts(long floatsAt, int heads, BrainParts.Side side, NativeBlock block) {
        long elements = (long) d.batch * d.tokens * heads * d.headSize;
        FloatBuffer floats =
                NativeBlock.buffer(floatsAt, elements * Float.BYTES).asFloatBuffer();
        long bytesOfParts = BrainParts.COUNT * elements * Short.BYTES;
        long at = block.address(bytesOfParts);
        ShortBuffer parts = NativeBlock.buffer(at, bytesOfParts).asShortBuffer();
        Team.run(d.batch * d.tokens, 1, (from, to, member) -> {
            BrainParts.copy(floats, from, to, heads, d.headSize, side, parts, member);
        });
        return at;
    }

    /** Where a block's weights are kept, or 0. */
    private long keptAt(long kept, int batch, int head, int row) {
        long rows = ((long) batch * d.heads + head) * d.tokens + row;
        return kept == 0 ? 0 : kept + rows * Lanes.roundUp(d.tokens) * bytes;
    }

    private void scores(int member, long queriesAt, long keysAt, int rows, int width, AttentionBlock block) {
        product(rows, inner, width, queries, turned(keys), scores(width), Sum.NOTHING)
                .run(member, queriesAt, keysAt, block.scores, 0);
    }

    /** A block's scores lie in rows as long as whole vectors. */
    private static Operand scores(int width) {
        return new Operand(Product.Type.F32, false, Lanes.roundUp(width));
    }

    private Operand weights(int width) {
        return new Operand(type, false, Lanes.roundUp(width));
    }

    private static Operand turned(Operand operand) {
        return new Operand(operand.type(), true, operand.stride());
    }

    private static Product product(
            int rows, int inner, int columns, Operand left, Operand right, Operand result, Sum sum) {
        return Product.of(new Product.Shape(rows, inner, columns, left, right, result, sum));
    }

    /** The element in an array of queries or outputs where a head of a token begins. */
    private long at(int batch, int head, int token, Operand operand) {
        return ((long) batch * d.tokens + token) * operand.stride() + head * (operand.stride() / d.heads);
    }

    /** The element in an array of keys or values where those of a query head begin. */
    private long keyAt(int batch, int head, Operand operand) {
        long width = operand.stride() / d.keyValueHeads;
        return batch * d.tokens * operand.stride() + head / (d.heads / d.keyValueHeads) * width;
    }

    /** What is done for rows of a head. */
    private interface BlockOfRows {
        void run(int member, int batch, int head, int row, int rows);
    }

    /** Shares blocks out; members take blocks of all widths, as later ones see more. */
    private void inBlocks(BlockOfRows work) {
        int blocks = (d.tokens + BLOCK - 1) / BLOCK;
        int units = d.batch * d.heads * blocks;
        Team.run(Team.size(), 1, (from, to, member) -> {
            for (int unit = from; unit < units; unit += Team.size()) {
                int row = unit / (d.batch * d.heads) * BLOCK;
                int text = unit % (d.batch * d.heads);
                work.run(member, text / d.heads, text % d.heads, row, Math.min(BLOCK, d.tokens - row));
            }
        });
    }

    /** Zeros for the keys of a head from one on. */
    private void clear(int member, FloatBuffer heads, int batch, int head, int firstKey) {
        float[] zeros = Scratch.floats(member, d.headSize);
        Arrays.fill(zeros, 0, d.headSize, 0);
        for (int half = 0; half < 2; half++) {
            for (int token = firstKey; token < d.tokens; token++) {
                int begin = half * d.batch * d.tokens * d.queryWidth()
                        + Math.toIntExact(at(batch, head, token, outputGradients));
                heads.put(begin, zeros, 0, d.headSize);
            }
        }
    }

    /** Adds up what the query heads of each group say. */
    private void sumGroups(FloatBuffer heads, int begin, FloatBuffer sums) {
        int groups = d.heads / d.keyValueHeads;
        Team.run(d.batch * d.tokens, 1, (from, to, member) -> {
            float[] row = Scratch.floats(member, d.queryWidth() + d.keyWidth());
            for (int token = from; token < to; token++) {
                heads.get(begin + token * d.queryWidth(), row, 0, d.queryWidth());
                for (int key = 0; key < d.keyValueHeads; key++) {
                    int sum = d.queryWidth() + key * d.headSize;
                    System.arraycopy(row, key * groups * d.headSize, row, sum, d.headSize);
                    for (int group = 1; group < groups; group++) {
                        Lanes.addToRow(row, sum, (key * groups + group) * d.headSize, d.headSize);
                    }
                }
                sums.put(token * d.keyWidth(), row, d.queryWidth(), d.keyWidth());
            }
        });
    }
}
