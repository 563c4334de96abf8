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
 * <p>B batch, T tokens, H query heads, K key-value heads, h head size. Queries, keys, values and the gradient of the output
 * are float32, or all bfloat16; products are summed and everything else is computed in float32.
 */
public final class AttentionKernel {
    /** Rows of a block. */
    private static final int BLOCK = 128;
    /** Widths of blocks are rounded up to a multiple of this, so that there are few different products. */
    private static final int GRAIN = 32;

    private static final NativeBlock[] MEMORY = NativeBlock.forTeam();

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
    private final Operand queries;
    private final Operand keys;
    private final Operand scores;
    private final Operand weights;

    /** @param bf16 the type of what is read, see above */
    public AttentionKernel(Dimensions dimensions, boolean bf16) {
        this.d = dimensions;
        this.bf16 = bf16;
        Product.Type type = bf16 ? Product.Type.BF16 : Product.Type.F32;
        bytes = type.bytes();
        scale = (float) (1 / Math.sqrt(d.headSize));
        queries = new Operand(type, false, d.queryWidth());
        keys = new Operand(type, false, d.keyWidth());
        scores = new Operand(Product.Type.F32, false, d.tokens);
        weights = new Operand(type, false, d.tokens);
    }

    /** Where arrays lie: queries [B·T, H·h], keys and values [B·T, K·h]. */
    public record Inputs(long queries, long keys, long values, FloatBuffer mask) {}

    /**
     * The heads' outputs.
     *
     * @param inputs the mask is [B, 1, T, T], 0 or very negative
     * @param output [B·T, H·h], overwritten, float32 or bfloat16
     * @param kept [B, H, T, T] for the attention weights in the inputs' type, overwritten; 0 to keep none
     */
    public void forward(Inputs inputs, long output, Product.Type outputType, long kept) {
        int[] seen = seen(inputs.mask);
        Operand result = new Operand(outputType, false, d.queryWidth());
        inBlocks((member, batch, head, row, rows) -> {
            int width = width(seen, batch, row, rows);
            long at = at(batch, head, row);
            Memory memory = new Memory(member, kept, batch, head, row);
            scores(member, inputs, batch, head, row, rows, width, memory);
            for (int i = 0; i < rows; i++) {
                memory.weights(inputs.mask, batch, row, i, seen[batch * d.tokens + row + i], width);
            }
            product(rows, width, d.headSize, weights, keys, result, Sum.NOTHING)
                    .run(
                            member,
                            memory.weights,
                            inputs.values + keyAt(batch, head) * bytes,
                            output + at * outputType.bytes(),
                            0);
        });
    }

    /**
     * The gradients by queries, keys and values.
     *
     * @param outputGradient [B·T, H·h], in the inputs' type
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
        int[] seen = seen(inputs.mask);
        Operand floats = new Operand(Product.Type.F32, false, d.queryWidth());
        Operand transposed = new Operand(weights.type(), true, d.tokens);
        long half = (long) d.batch * d.tokens * d.queryWidth() * Float.BYTES;
        // A head's blocks add to the same keys, so one member does them all.
        Team.run(d.batch * d.heads, 1, (from, to, member) -> {
            for (int unit = from; unit < to; unit++) {
                int batch = unit / d.heads;
                int head = unit % d.heads;
                clear(member, heads, batch, head);
                for (int row = 0; row < d.tokens; row += BLOCK) {
                    int rows = Math.min(BLOCK, d.tokens - row);
                    int width = width(seen, batch, row, rows);
                    long at = at(batch, head, row);
                    long key = keyAt(batch, head) * bytes;
                    Memory memory = new Memory(member, kept, batch, head, row);
                    if (kept == 0) {
                        scores(member, inputs, batch, head, row, rows, width, memory);
                    }
                    product(rows, d.headSize, width, queries, turned(keys), scores, Sum.NOTHING)
                            .run(member, outputGradient + at * bytes, inputs.values + key, memory.gradients, 0);
                    for (int i = 0; i < rows; i++) {
                        int visible = seen[batch * d.tokens + row + i];
                        if (kept == 0) {
                            memory.weights(inputs.mask, batch, row, i, visible, width);
                        }
                        memory.scoreGradients(i, visible, width);
                    }
                    long ofKeys = headsAt + at(batch, head, 0) * Float.BYTES;
                    product(width, rows, d.headSize, transposed, queries, floats, Sum.RESULT)
                            .run(member, memory.scoreGradients, inputs.queries + at * bytes, ofKeys, 0);
                    product(width, rows, d.headSize, transposed, queries, floats, Sum.RESULT)
                            .run(member, memory.weights, outputGradient + at * bytes, ofKeys + half, 0);
                    product(rows, width, d.headSize, weights, keys, floats, Sum.NOTHING)
                            .run(member, memory.scoreGradients, inputs.keys + key, queryGradient + at * Float.BYTES, 0);
                }
            }
        });
        sumGroups(heads, 0, keyGradient);
        sumGroups(heads, d.batch * d.tokens * d.queryWidth(), valueGradient);
    }

    private void scores(int member, Inputs inputs, int batch, int head, int row, int rows, int width, Memory memory) {
        product(rows, d.headSize, width, queries, turned(keys), scores, Sum.NOTHING)
                .run(
                        member,
                        inputs.queries + at(batch, head, row) * bytes,
                        inputs.keys + keyAt(batch, head) * bytes,
                        memory.scores,
                        0);
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

    /** The element in an array of keys where a query head's keys begin. */
    private long keyAt(int batch, int head) {
        return (long) batch * d.tokens * d.keyWidth() + (long) head / (d.heads / d.keyValueHeads) * d.headSize;
    }

    /** How many positions a block of rows sees, rounded up. */
    private int width(int[] seen, int batch, int row, int rows) {
        int begin = batch * d.tokens + row;
        int most = Arrays.stream(seen, begin, begin + rows).max().orElseThrow();
        return Math.min(d.tokens, (most + GRAIN - 1) / GRAIN * GRAIN);
    }

    /** For each row of each text, the positions up to the last that the mask shows. */
    private int[] seen(FloatBuffer mask) {
        int[] seen = new int[d.batch * d.tokens];
        Team.run(seen.length, 1, (from, to, member) -> {
            float[] row = Scratch.floats(member, d.tokens);
            for (int i = from; i < to; i++) {
                mask.get(i * d.tokens, row, 0, d.tokens);
                seen[i] = SoftmaxKernel.seen(row, 0, d.tokens);
            }
        });
        return seen;
    }

    /** What is done for rows of a head. */
    private interface BlockOfRows {
        void run(int member, int batch, int head, int row, int rows);
    }

    /** Shares blocks out; members take blocks of all widths, as later ones see more. */
    private void inBlocks(BlockOfRows work) {
        int blocks = (d.tokens + BLOCK - 1) / BLOCK;
        int units = d.batch * d.heads * blocks;
        Team.run(Team.size(), 1, (from, to, share) -> {
            for (int unit = share; unit < units; unit += Team.size()) {
                int row = unit / (d.batch * d.heads) * BLOCK;
                int text = unit % (d.batch * d.heads);
                work.run(share, text / d.heads, text % d.heads, row, Math.min(BLOCK, d.tokens - row));
            }
        });
    }

    private void clear(int member, FloatBuffer heads, int batch, int head) {
        float[] zeros = Scratch.floats(member, d.headSize);
        Arrays.fill(zeros, 0, d.headSize, 0);
        for (int half = 0; half < 2; half++) {
            for (int token = 0; token < d.tokens; token++) {
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
                for (int i = 0; i < d.keyWidth(); i++) {
                    int head = i / d.headSize * groups * d.headSize + i % d.headSize;
                    float sum = 0;
                    for (int group = 0; group < groups; group++) {
                        sum += row[head + group * d.headSize];
                    }
                    row[d.queryWidth() + i] = sum;
                }
                sums.put(token * d.keyWidth(), row, d.queryWidth(), d.keyWidth());
            }
        });
    }

    /** A member's matrices for a block, [rows, T] each. */
    private final class Memory {
        final int member;
        final long scores;
        final long gradients;
        /** P; where it is kept, there. */
        final long weights;

        final long scoreGradients;
        private final FloatBuffer scoreRows;
        private final FloatBuffer gradientRows;
        private final RowStore weightRows;
        private final RowStore scoreGradientRows;

        Memory(int member, long kept, int batch, int head, int row) {
            this.member = member;
            long size = (long) BLOCK * d.tokens;
            scores = MEMORY[member].address(size * (2 * Float.BYTES + 2L * bytes));
            gradients = scores + size * Float.BYTES;
            scoreGradients = gradients + size * Float.BYTES;
            weights = kept == 0
                    ? scoreGradients + size * bytes
                    : kept + (((long) batch * d.heads + head) * d.tokens + row) * d.tokens * bytes;
            scoreRows = NativeBlock.buffer(scores, size * Float.BYTES).asFloatBuffer();
            gradientRows = NativeBlock.buffer(gradients, size * Float.BYTES).asFloatBuffer();
            long rows = Math.min(size, (long) (d.tokens - row) * d.tokens);
            weightRows = new RowStore(weights, rows);
            scoreGradientRows = new RowStore(scoreGradients, size);
        }

        /** Makes a row of weights from its scores. */
        void weights(FloatBuffer mask, int batch, int row, int i, int seen, int width) {
            int padded = Lanes.roundUp(d.tokens);
            float[] scratch = Scratch.floats(member, 2 * padded);
            mask.get((batch * d.tokens + row + i) * d.tokens, scratch, padded, seen);
            scoreRows.get(i * d.tokens, scratch, 0, seen);
            SoftmaxKernel.softmax(scratch, seen, padded, scale);
            Arrays.fill(scratch, seen, Math.max(seen, width), 0);
            weightRows.put(member, i * d.tokens, scratch, 0, width);
        }

        /** dS = scale · P · (dP - sum(P · dP)), from a row of P and of dP. */
        void scoreGradients(int i, int seen, int width) {
            int padded = Lanes.roundUp(d.tokens);
            float[] scratch = Scratch.floats(member, 2 * padded + Lanes.LENGTH);
            weightRows.get(member, i * d.tokens, scratch, padded, seen);
            gradientRows.get(i * d.tokens, scratch, 0, seen);
            int end = Lanes.roundUp(seen);
            Arrays.fill(scratch, seen, end, 0);
            Arrays.fill(scratch, padded + seen, padded + end, 0);
            SoftmaxKernel.gradient(scratch, seen, padded, 2 * padded, scale);
            Arrays.fill(scratch, seen, Math.max(seen, width), 0);
            scoreGradientRows.put(member, i * d.tokens, scratch, 0, width);
        }
    }

    /** A matrix in the inputs' type whose rows are read and written as floats. */
    private final class RowStore {
        private final FloatBuffer floats;
        private final ShortBuffer shorts;

        RowStore(long address, long elements) {
            floats = NativeBlock.buffer(address, elements * bytes).asFloatBuffer();
            shorts = NativeBlock.buffer(address, elements * bytes).asShortBuffer();
        }

        void put(int member, int at, float[] values, int from, int length) {
            if (bf16) {
                short[] narrow = Scratch.shorts(member, length);
                Bf16.narrow(values, from, narrow, 0, length);
                shorts.put(at, narrow, 0, length);
            } else {
                floats.put(at, values, from, length);
            }
        }

        void get(int member, int at, float[] values, int to, int length) {
            if (bf16) {
                short[] narrow = Scratch.shorts(member, length);
                shorts.get(at, narrow, 0, length);
                Bf16.widen(narrow, 0, values, to, length);
            } else {
                floats.get(at, values, to, length);
            }
        }
    }
}
