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
 * <p>B batch, T tokens, H query heads, K key-value heads, h head size. Queries and keys are float32; values and the
 * gradient of the output are float32, or both bfloat16. Then all products are of bfloat16, summed in float32, and those for
 * scores of {@link BrainParts}, since a small error of a score is a large one of a weight.
 */
public final class AttentionKernel {
    /** Rows of a block. */
    private static final int BLOCK = 128;
    /** Rows of a block that are worked on at a time. */
    private static final int ROWS = 8;
    /** Widths of blocks are rounded up to a multiple of this, so that there are few different products. */
    private static final int GRAIN = 32;

    private static final NativeBlock[] MEMORY = NativeBlock.forTeam();
    /** The parts of all keys, [B·T, K·3·h], while the kernel runs. */
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
    private final int bytes;
    private final float scale;
    private final Product.Type type;
    /** How long the products of a query and a key are. */
    private final int inner;

    private final Operand queries;
    private final Operand keys;
    private final Operand values;
    private final Operand outputGradients;

    /** @param bf16 whether values and the gradient of the output are bfloat16 */
    public AttentionKernel(Dimensions dimensions, boolean bf16) {
        this.d = dimensions;
        this.bf16 = bf16;
        type = bf16 ? Product.Type.BF16 : Product.Type.F32;
        bytes = type.bytes();
        scale = (float) (1 / Math.sqrt(d.headSize));
        int parts = bf16 ? BrainParts.COUNT : 1;
        inner = parts * d.headSize;
        queries = new Operand(type, false, bf16 ? inner : d.queryWidth());
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
        Visible visible = visible(inputs.mask);
        long keysAt = keys(inputs);
        Operand result = new Operand(outputType, false, d.queryWidth());
        inBlocks((member, batch, head, row, rows) -> {
            int width = visible.width(batch * d.tokens + row, rows);
            long at = at(batch, head, row);
            Memory memory = new Memory(member, width, kept, batch, head, row);
            long queriesAt = queries(member, inputs, batch, head, row, rows, memory);
            scores(member, queriesAt, keysAt + keyAt(batch, head, keys) * bytes, rows, width, memory);
            memory.makeWeights(inputs.mask, visible, batch * d.tokens + row, rows);
            product(rows, width, d.headSize, weights(width), values, result, Sum.NOTHING)
                    .run(
                            member,
                            memory.weights,
                            inputs.values + keyAt(batch, head, values) * bytes,
                            output + at * outputType.bytes(),
                            0);
        });
    }

    /**
     * The gradients by queries, keys and values.
     *
     * @param outputGradient [B·T, H·h], in the values' type
     * @param kept what {@link #forward} kept, or 0: then it is computed again
     * @param queryGradient float [B·T, H·h], overwritten
     * @param keyGradient float [B·T, K·h], overwritten
     * @param valueGradient float [B·T, K·h], overwritten
     * @param heads float [2, B·T, H·h], overwritten: the gradients of keys and values by each query head
     */
    public void backward(
            Inputs inputs,
            long outputGradient,
            long kept,
            long queryGradient,
            FloatBuffer keyGradient,
            FloatBuffer valueGradient,
            FloatBuffer heads,
            long headsAt) {
        Visible visible = visible(inputs.mask);
        long keysAt = keys(inputs);
        Operand floats = new Operand(Product.Type.F32, false, d.queryWidth());
        long half = (long) d.batch * d.tokens * d.queryWidth() * Float.BYTES;
        // A head's blocks add to the same keys, so one member does them all.
        Team.run(d.batch * d.heads, 1, (from, to, member) -> {
            for (int unit = from; unit < to; unit++) {
                int batch = unit / d.heads;
                int head = unit % d.heads;
                // The last block first: it sees most, and writes what the others add to.
                int last = (d.tokens - 1) / BLOCK * BLOCK;
                clear(member, heads, batch, head, visible.width(batch * d.tokens + last, d.tokens - last));
                for (int row = last; row >= 0; row -= BLOCK) {
                    Sum sum = row == last ? Sum.NOTHING : Sum.RESULT;
                    int rows = Math.min(BLOCK, d.tokens - row);
                    int width = visible.width(batch * d.tokens + row, rows);
                    long at = at(batch, head, row);
                    long key = keysAt + keyAt(batch, head, keys) * bytes;
                    long value = inputs.values + keyAt(batch, head, values) * bytes;
                    Memory memory = new Memory(member, width, kept, batch, head, row);
                    long query = queries(member, inputs, batch, head, row, rows, memory);
                    if (kept == 0) {
                        scores(member, query, key, rows, width, memory);
                    }
                    product(rows, d.headSize, width, outputGradients, turned(values), scores(width), Sum.NOTHING)
                            .run(member, outputGradient + at * bytes, value, memory.gradients, 0);
                    memory.makeScoreGradients(inputs.mask, visible, batch * d.tokens + row, rows, kept == 0);
                    long ofKeys = headsAt + at(batch, head, 0) * Float.BYTES;
                    product(width, rows, d.headSize, turned(weights(width)), queries, floats, sum)
                            .run(member, memory.scoreGradients, query, ofKeys, 0);
                    product(width, rows, d.headSize, turned(weights(width)), outputGradients, floats, sum)
                            .run(member, memory.weights, outputGradient + at * bytes, ofKeys + half, 0);
                    product(rows, width, d.headSize, weights(width), keys, floats, Sum.NOTHING)
                            .run(member, memory.scoreGradients, key, queryGradient + at * Float.BYTES, 0);
                }
            }
        });
        sumGroups(heads, 0, keyGradient);
        sumGroups(heads, d.batch * d.tokens * d.queryWidth(), valueGradient);
    }

    /** Where keys stand as products read them. */
    private long keys(Inputs inputs) {
        if (!bf16) {
            return inputs.keys;
        }
        int tokens = d.batch * d.tokens;
        FloatBuffer floats = floats(inputs.keys, (long) tokens * d.keyWidth());
        long elements = tokens * keys.stride();
        long at = KEY_PARTS.address(elements * Short.BYTES);
        ShortBuffer parts = NativeBlock.buffer(at, elements * Short.BYTES).asShortBuffer();
        Team.run(tokens, 1, (from, to, member) -> {
            int begin = from * d.keyWidth();
            BrainParts.copy(
                    floats,
                    begin,
                    d.keyWidth(),
                    to - from,
                    d.keyValueHeads,
                    d.headSize,
                    BrainParts.Side.KEY,
                    parts,
                    BrainParts.COUNT * begin,
                    member);
        });
        return at;
    }

    /** Where a block's queries stand as products read them. */
    private long queries(int member, Inputs inputs, int batch, int head, int row, int rows, Memory memory) {
        long at = inputs.queries + at(batch, head, row) * Float.BYTES;
        if (!bf16) {
            return at;
        }
        long elements = (long) rows * inner;
        BrainParts.copy(
                floats(at, (long) (rows - 1) * d.queryWidth() + d.headSize),
                0,
                d.queryWidth(),
                rows,
                1,
                d.headSize,
                BrainParts.Side.QUERY,
                NativeBlock.buffer(memory.queries, elements * Short.BYTES).asShortBuffer(),
                0,
                member);
        return memory.queries;
    }

    private static FloatBuffer floats(long address, long length) {
        return NativeBlock.buffer(address, length * Float.BYTES).asFloatBuffer();
    }

    private void scores(int member, long queriesAt, long keysAt, int rows, int width, Memory memory) {
        product(rows, inner, width, queries, turned(keys), scores(width), Sum.NOTHING)
                .run(member, queriesAt, keysAt, memory.scores, 0);
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

    /** The element in an array of queries where a head of a token begins. */
    private long at(int batch, int head, int token) {
        return ((long) batch * d.tokens + token) * d.queryWidth() + (long) head * d.headSize;
    }

    /** The element in an array of keys or values where those of a query head begin. */
    private long keyAt(int batch, int head, Operand operand) {
        long width = operand.stride() / d.keyValueHeads;
        return batch * d.tokens * operand.stride() + head / (d.heads / d.keyValueHeads) * width;
    }

    /**
     * What the mask shows.
     *
     * @param seen for each row of each text, the positions up to the last that is shown
     * @param plain whether all of these are shown as they are
     */
    private record Visible(int[] seen, boolean[] plain, int tokens) {
        /** How many positions a block of rows sees, rounded up. */
        int width(int row, int rows) {
            int most = Arrays.stream(seen, row, row + rows).max().orElseThrow();
            return Math.min(tokens, (most + GRAIN - 1) / GRAIN * GRAIN);
        }
    }

    private Visible visible(FloatBuffer mask) {
        int rows = d.batch * d.tokens;
        Visible visible = new Visible(new int[rows], new boolean[rows], d.tokens);
        Team.run(rows, 1, (from, to, member) -> {
            float[] row = Scratch.floats(member, Lanes.roundUp(d.tokens));
            for (int i = from; i < to; i++) {
                mask.get(i * d.tokens, row, 0, d.tokens);
                visible.seen[i] = AttentionRows.seenOfRow(row, d.tokens);
                visible.plain[i] = AttentionRows.isZero(row, visible.seen[i]);
            }
        });
        return visible;
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
                int begin = half * d.batch * d.tokens * d.queryWidth() + Math.toIntExact(at(batch, head, token));
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

    /** A member's matrices for a block: scores, their gradients, weights and the scores' gradients as products read them. */
    private final class Memory {
        final int member;
        /** Elements of a row. */
        final int stride;

        final long scores;
        final long gradients;
        final long weights;
        final long scoreGradients;
        final long queries;

        Memory(int member, int width, long kept, int batch, int head, int row) {
            this.member = member;
            stride = Lanes.roundUp(width);
            long longest = Lanes.roundUp(d.tokens);
            long size = BLOCK * longest;
            scores = MEMORY[member].address(size * (2 * Float.BYTES + 2L * bytes) + (long) BLOCK * inner * bytes);
            gradients = scores + size * Float.BYTES;
            scoreGradients = gradients + size * Float.BYTES;
            queries = scoreGradients + size * bytes;
            weights = kept == 0
                    ? queries + (long) BLOCK * inner * bytes
                    : kept + (((long) batch * d.heads + head) * d.tokens + row) * longest * bytes;
        }

        /** Makes weights from scores, a few rows at a time so that they stay in the first cache level. */
        void makeWeights(FloatBuffer mask, Visible visible, int firstRow, int rows) {
            Numbers from = numbers(scores, rows, false);
            Numbers to = numbers(weights, rows, bf16);
            float[] floats = Scratch.floats(member, ROWS * stride + stride + Lanes.LENGTH);
            for (int begin = 0; begin < rows; begin += ROWS) {
                int count = Math.min(ROWS, rows - begin);
                from.get(begin * stride, floats, 0, count * stride, member);
                softmax(floats, mask, visible, firstRow + begin, count, ROWS * stride);
                to.put(begin * stride, floats, 0, count * stride, member);
            }
        }

        /** Makes the scores' gradients from the weights, or from scores, and the weights' gradients. */
        void makeScoreGradients(FloatBuffer mask, Visible visible, int firstRow, int rows, boolean fromScores) {
            Numbers weightRows = numbers(weights, rows, bf16);
            Numbers scoreRows = numbers(scores, rows, false);
            Numbers gradientRows = numbers(gradients, rows, false);
            Numbers to = numbers(scoreGradients, rows, bf16);
            int chunk = ROWS * stride;
            float[] floats = Scratch.floats(member, 2 * chunk + stride + Lanes.LENGTH);
            for (int begin = 0; begin < rows; begin += ROWS) {
                int count = Math.min(ROWS, rows - begin);
                if (fromScores) {
                    scoreRows.get(begin * stride, floats, 0, count * stride, member);
                    softmax(floats, mask, visible, firstRow + begin, count, 2 * chunk);
                    weightRows.put(begin * stride, floats, 0, count * stride, member);
                } else {
                    weightRows.get(begin * stride, floats, 0, count * stride, member);
                }
                gradientRows.get(begin * stride, floats, chunk, count * stride, member);
                for (int i = 0; i < count; i++) {
                    int seen = visible.seen[firstRow + begin + i];
                    int at = i * stride;
                    AttentionRows.gradientOfRow(floats, at, chunk + at, seen, stride, scale, 2 * chunk + stride);
                }
                to.put(begin * stride, floats, chunk, count * stride, member);
            }
        }

        private void softmax(float[] floats, FloatBuffer mask, Visible visible, int firstRow, int count, int spare) {
            for (int i = 0; i < count; i++) {
                int row = firstRow + i;
                int seen = visible.seen[row];
                if (visible.plain[row]) {
                    AttentionRows.softmaxOfRow(floats, i * stride, seen, stride, scale, spare + stride);
                } else {
                    mask.get(row * d.tokens, floats, spare, seen);
                    AttentionRows.scaleAndAddToRow(floats, i * stride, spare, seen, scale);
                    AttentionRows.softmaxOfRow(floats, i * stride, seen, stride, 1, spare + stride);
                }
            }
        }

        private Numbers numbers(long address, int rows, boolean narrow) {
            long elements = (long) rows * stride;
            return narrow
                    ? Numbers.ofBf16(
                            NativeBlock.buffer(address, elements * Short.BYTES).asShortBuffer())
                    : Numbers.of(
                            NativeBlock.buffer(address, elements * Float.BYTES).asFloatBuffer());
        }
    }
}
