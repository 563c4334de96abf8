package org.fedlora4j.kernels;

import static org.fedlora4j.kernels.Lanes.FLOATS;
import static org.fedlora4j.kernels.Lanes.LENGTH;
import static org.fedlora4j.kernels.Lanes.load;
import static org.fedlora4j.kernels.Lanes.roundUp;

import java.nio.FloatBuffer;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Keys and values of a layer's tokens so far, and attention of new tokens to them. A token's slot is its position in its
 * row, so the slots that a token may see are those before it and its own.
 *
 * <p>B rows, K key-value heads, G query heads for each of them, S slots, h head size, L lanes of a vector. Values are
 * [B, K, S, h]. Keys are [B, K, S/L, h, L], blocks of L slots: a query's scores with them are one vector, summed up over
 * h.
 */
public final class AttentionCache {
    /** Floats that a share reads at once: half of a first cache level. */
    private static final int TILE = 4_096;

    /** Tokens of a row that read its keys and values together, at most. */
    private static final int RUN = 8;

    private final FloatBuffer keys;
    private final FloatBuffer values;
    private final int heads;
    private final int slots;
    private final int headSize;

    /**
     * A cache over memory of {@link #floats} each for keys and values. What stands in it does not matter.
     *
     * @param heads K
     */
    public AttentionCache(FloatBuffer keys, FloatBuffer values, int heads, int slots, int headSize) {
        this.keys = keys;
        this.values = values;
        this.heads = heads;
        this.slots = roundUp(slots);
        this.headSize = headSize;
    }

    /** How many floats the keys take, and the values. */
    public static long floats(int rows, int heads, int slots, int headSize) {
        return (long) rows * heads * roundUp(slots) * headSize;
    }

    /**
     * Takes tokens of one head.
     *
     * @param slot of the first of them
     * @param newKeys rotated, [count, h] from {@code at} on
     * @param newValues the same
     */
    public void store(int row, int head, int slot, int count, float[] newKeys, float[] newValues, int at) {
        int base = (row * heads + head) * slots * headSize;
        values.put(base + slot * headSize, newValues, at, count * headSize);
        for (int token = 0; token < count; token++) {
            int lane = (slot + token) % LENGTH;
            int block = base + (slot + token - lane) * headSize;
            for (int i = 0; i < headSize; i++) {
                keys.put(block + i * LENGTH + lane, newKeys[at + token * headSize + i]);
            }
        }
    }

    /** Takes the first {@code count} tokens of all rows of another cache of the same heads. */
    public void copy(AttentionCache from, int rows, int count) {
        float[] run = new float[roundUp(count) * headSize];
        for (int i = 0; i < rows * heads; i++) {
            from.keys.get(i * from.slots * headSize, run);
            keys.put(i * slots * headSize, run);
            from.values.get(i * from.slots * headSize, run);
            values.put(i * slots * headSize, run);
        }
    }

    /**
     * softmax(scale · q·kᵀ)·v for tokens whose keys and values are here.
     *
     * @param rows of the tokens
     * @param positions of the tokens, which see the slots up to these
     * @param queries rotated, [tokens, K·G·h]
     * @param mixed [tokens, K·G·h], overwritten
     */
    public void attend(int[] rows, int[] positions, float[] queries, float[] mixed, float scale) {
        int[] runs = runs(rows);
        int count = runs.length - 1;
        int groups = queries.length / (rows.length * heads * headSize);
        Team.run(count * heads, 1, (from, to, member) -> {
            for (int unit = from; unit < to; unit++) {
                // Later tokens see more: one from the end follows one from the beginning, so that shares weigh the
                // same.
                int pair = unit / heads / 2;
                int run = unit / heads % 2 == 0 ? pair : count - 1 - pair;
                int head = unit % heads;
                int first = runs[run];
                int[] places = new int[(runs[run + 1] - first) * groups];
                int[] seen = new int[places.length];
                for (int i = 0; i < places.length; i++) {
                    int token = first + i / groups;
                    places[i] = ((token * heads + head) * groups + i % groups) * headSize;
                    seen[i] = positions[token] + 1;
                }
                attend((rows[first] * heads + head) * slots * headSize, places, seen, queries, mixed, scale, member);
            }
        });
    }

    /** Where runs of at most {@link #RUN} tokens of the same row begin, and where the last one ends. */
    private static int[] runs(int[] rows) {
        int[] begins = new int[rows.length + 1];
        int count = 0;
        for (int token = 1; token < rows.length; token++) {
            if (rows[token] != rows[token - 1] || token - begins[count] == RUN) {
                begins[++count] = token;
            }
        }
        begins[++count] = rows.length;
        return Arrays.copyOf(begins, count + 1);
    }

    /**
     * Queries of some tokens of one row and one key-value head, whose keys and values begin at {@code base}.
     *
     * @param places where the queries are, each [h]
     * @param seen how many slots each of them sees
     */
    private void attend(int base, int[] places, int[] seen, float[] queries, float[] mixed, float scale, int member) {
        int most = Arrays.stream(seen).max().orElseThrow();
        int width = roundUp(most);
        int wide = roundUp(headSize);
        int tile = places.length * width;
        int sums = tile + Math.max(TILE, LENGTH * headSize) + LENGTH;
        float[] scratch = Scratch.floats(member, sums + places.length * wide);
        int slotsOfTile = Math.max(1, TILE / (LENGTH * headSize)) * LENGTH;
        for (int slot = 0; slot < width; slot += slotsOfTile) {
            int held = Math.min(slotsOfTile, width - slot);
            keys.get(base + slot * headSize, scratch, tile, held * headSize);
            for (int i = 0; i < places.length; i++) {
                for (int block = 0; block < Math.min(held, seen[i] - slot); block += LENGTH) {
                    int scores = i * width + slot + block;
                    scoresOfRow(scratch, tile + block * headSize, queries, places[i], scale, scores);
                }
            }
        }
        for (int i = 0; i < places.length; i++) {
            softmaxOfRow(scratch, i * width, seen[i], sums);
        }
        Arrays.fill(scratch, sums, sums + places.length * wide, 0);
        for (int slot = 0; slot < most; slot += slotsOfTile) {
            int held = Math.min(slotsOfTile, most - slot);
            values.get(base + slot * headSize, scratch, tile, held * headSize);
            for (int i = 0; i < places.length; i++) {
                mixRow(scratch, tile, Math.min(held, seen[i] - slot), i * width + slot, sums + i * wide);
            }
        }
        for (int i = 0; i < places.length; i++) {
            System.arraycopy(scratch, sums + i * wide, mixed, places[i], headSize);
        }
    }

    /** A query's scores with a block of keys that lies in the scratch; to {@code scratch[scores]}. */
    private void scoresOfRow(float[] scratch, int block, float[] queries, int query, float scale, int scores) {
        FloatVector even = FloatVector.zero(FLOATS);
        FloatVector odd = even;
        for (int i = 0; i < headSize; i += 2) {
            even = load(scratch, block + i * LENGTH).fma(FloatVector.broadcast(FLOATS, queries[query + i]), even);
            odd = load(scratch, block + (i + 1) * LENGTH)
                    .fma(FloatVector.broadcast(FLOATS, queries[query + i + 1]), odd);
        }
        even.add(odd).mul(scale).intoArray(scratch, scores);
    }

    /** In place, the softmax of {@code seen} scores; those behind them to the vector's end become 0. */
    private static void softmaxOfRow(float[] scratch, int begin, int seen, int spare) {
        int end = begin + roundUp(seen);
        Arrays.fill(scratch, begin + seen, end, Float.NEGATIVE_INFINITY);
        FloatVector largest = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        for (int i = begin; i < end; i += LENGTH) {
            largest = largest.max(load(scratch, i));
        }
        float maximum = largest.reduceLanes(VectorOperators.MAX);
        FloatVector total = FloatVector.zero(FLOATS);
        for (int i = begin; i < end; i += LENGTH) {
            FloatVector power = Lanes.exp(load(scratch, i).sub(maximum));
            power.intoArray(scratch, i);
            total = total.add(power);
        }
        float inverse = 1 / Lanes.sum(total, scratch, spare);
        for (int i = begin; i < end; i += LENGTH) {
            load(scratch, i).mul(inverse).intoArray(scratch, i);
        }
    }

    /** Adds values [count, h], weighted, to a sum [h]; what is behind h in its last vector is overwritten. */
    private void mixRow(float[] scratch, int tile, int count, int weights, int sum) {
        for (int i = 0; i < headSize; i += LENGTH) {
            FloatVector even = load(scratch, sum + i);
            FloatVector odd = FloatVector.zero(FLOATS);
            int slot = 0;
            for (; slot + 1 < count; slot += 2) {
                even = load(scratch, tile + slot * headSize + i)
                        .fma(FloatVector.broadcast(FLOATS, scratch[weights + slot]), even);
                odd = load(scratch, tile + (slot + 1) * headSize + i)
                        .fma(FloatVector.broadcast(FLOATS, scratch[weights + slot + 1]), odd);
            }
            if (slot < count) {
                even = load(scratch, tile + slot * headSize + i)
                        .fma(FloatVector.broadcast(FLOATS, scratch[weights + slot]), even);
            }
            even.add(odd).intoArray(scratch, sum + i);
        }
    }
}
