package org.fedlora4j.model.nn;

import org.fedlora4j.model.exec.FusedScope;
import org.fedlora4j.model.exec.Kernel;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDIndex;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Grouped-query causal self-attention (Ainslie et al., arXiv 2305.13245), softmax(q·kᵀ/√h + mask)·v.
 *
 * <p>B batch, T tokens, N = B·T rows, D hidden size, H query heads, K key-value heads, G = H/K query heads a group, h head
 * size, S cached tokens. The G query heads that share a key-value head are folded into rows, so that one product per
 * key-value head serves them all.
 */
public record Attention(
        Dimensions dimensions,
        Projection query,
        Projection key,
        Projection value,
        Projection output,
        Rotation rotation) {
    /** B, T, H, K and h. */
    public record Dimensions(int batch, int tokens, int heads, int keyValueHeads, int headSize) {
        public Dimensions {
            if (heads % keyValueHeads != 0) {
                throw new IllegalArgumentException(
                        "heads " + heads + " must be a multiple of key-value heads " + keyValueHeads);
            }
        }

        /** N = B·T. */
        public int rows() {
            return batch * tokens;
        }

        int groups() {
            return heads / keyValueHeads;
        }
    }

    /** The tables of {@link Rope}: for queries [N, H·h], for keys [N, K·h], and rotateHalf [h, h]. */
    public record Rotation(
            SDVariable queryCos, SDVariable querySin, SDVariable keyCos, SDVariable keySin, SDVariable rotateHalf) {}

    /** Keys (rotated) and values of earlier tokens, [B, K, S, h] each. */
    public record Cache(SDVariable keys, SDVariable values, int tokens) {}

    /** The block's output [N, D], and its own keys (rotated) and values [B, K, T, h] for a cache. */
    public record Result(SDVariable output, SDVariable keys, SDVariable values) {}

    /**
     * Attends.
     *
     * @param x [N, D]
     * @param mask [B, 1, T, S+T], 0 where a token may look and very negative elsewhere
     * @param cache earlier tokens, or null where there are none (S = 0)
     */
    public Result apply(SameDiff graph, SDVariable x, SDVariable mask, @Nullable Cache cache) {
        Dimensions d = dimensions;
        SDVariable q = Rope.apply(
                graph,
                "rope_q",
                query.apply(graph, x),
                rotation.queryCos,
                rotation.querySin,
                rotation.rotateHalf,
                d.rows());
        SDVariable k = Rope.apply(
                graph, "rope_k", key.apply(graph, x), rotation.keyCos, rotation.keySin, rotation.rotateHalf, d.rows());
        SDVariable v = value.apply(graph, x);

        SDVariable mixed; // [N, H·h]
        if (cache == null) {
            try (FusedScope fused = new FusedScope(graph, Kernel.ATTENTION)) {
                fused.constant("head_size", d.headSize);
                SDVariable queries = fused.input(q);
                SDVariable keys = fused.input(k);
                SDVariable values = fused.input(v);
                k = keyValueHeads(graph, keys);
                v = keyValueHeads(graph, values);
                mixed = fused.output(attend(graph, queries, k, v, fused.input(mask), null));
            }
        } else {
            k = keyValueHeads(graph, k);
            v = keyValueHeads(graph, v);
            mixed = attend(graph, q, k, v, mask, cache);
        }
        return new Result(output.apply(graph, mixed), k, v);
    }

    /**
     * The heads' outputs [N, H·h].
     *
     * @param q [N, H·h]
     * @param k [B, K, T, h]
     * @param v [B, K, T, h]
     */
    private SDVariable attend(
            SameDiff graph, SDVariable q, SDVariable k, SDVariable v, SDVariable mask, @Nullable Cache cache) {
        Dimensions d = dimensions;
        q = graph.reshape(q, d.batch, d.tokens, d.keyValueHeads, d.groups(), d.headSize);
        q = graph.reshape(graph.permute(q, 0, 2, 3, 1, 4), d.batch, d.keyValueHeads, -1, d.headSize); // [B, K, G·T, h]
        SDVariable scores = graph.mmul(q, k, false, true, false); // [B, K, G·T, T]
        if (cache != null) {
            scores = graph.concat(3, graph.mmul(q, cache.keys, false, true, false), scores); // [B, K, G·T, S+T]
        }
        SDVariable weights;
        try (FusedScope fused = new FusedScope(graph, Kernel.SOFTMAX)) {
            SDVariable perHead = fused.input(graph.reshape(scores, d.batch, d.heads, d.tokens, -1)); // [B, H, T, S+T]
            SDVariable scaled = perHead.mul(fused.constant("scale", 1 / Math.sqrt(d.headSize)));
            weights = fused.output(graph.nn.softmax(scaled.add(fused.input(mask)), -1));
        }
        weights = graph.reshape(weights, d.batch, d.keyValueHeads, (long) d.groups() * d.tokens, -1);

        SDVariable mixed; // [B, K, G·T, h]
        if (cache == null) {
            mixed = graph.mmul(weights, v);
        } else {
            SDIndex all = SDIndex.all();
            SDVariable onCache = weights.get(all, all, all, SDIndex.interval(0, cache.tokens));
            SDVariable onNew = weights.get(all, all, all, SDIndex.interval(cache.tokens, cache.tokens + d.tokens));
            mixed = graph.mmul(onCache, cache.values).add(graph.mmul(onNew, v));
        }
        mixed = graph.reshape(mixed, d.batch, d.keyValueHeads, d.groups(), d.tokens, d.headSize);
        return graph.reshape(graph.permute(mixed, 0, 3, 1, 2, 4), d.rows(), -1); // [N, H·h]
    }

    /** [N, K·h] to [B, K, T, h]. */
    private SDVariable keyValueHeads(SameDiff graph, SDVariable x) {
        Dimensions d = dimensions;
        return graph.permute(graph.reshape(x, d.batch, d.tokens, d.keyValueHeads, d.headSize), 0, 2, 1, 3);
    }
}
