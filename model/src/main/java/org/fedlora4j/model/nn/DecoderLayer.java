package org.fedlora4j.model.nn;

import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.NameScope;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * One pre-norm decoder layer of LLaMA (Touvron et al., arXiv 2302.13971): x + attention(norm(x)), then x +
 * feedForward(norm(x)). Scopes are named as in Hugging Face's checkpoints.
 */
public record DecoderLayer(
        Attention attention, SwiGlu feedForward, SDVariable inputNorm, SDVariable postAttentionNorm, double epsilon) {
    /** x [N, D] to [N, D], with the layer's keys and values; see {@link Attention#apply}. */
    public Attention.Result apply(SameDiff graph, SDVariable x, SDVariable mask, Attention.@Nullable Cache cache) {
        SDVariable normed = RmsNorm.apply(graph, "input_layernorm", x, inputNorm, epsilon);
        Attention.Result attended;
        try (NameScope named = graph.withNameScope("self_attn")) {
            attended = attention.apply(graph, normed, mask, cache);
        }
        SDVariable residual = x.add(attended.output());
        normed = RmsNorm.apply(graph, "post_attention_layernorm", residual, postAttentionNorm, epsilon);
        SDVariable fed;
        try (NameScope named = graph.withNameScope("mlp")) {
            fed = feedForward.apply(graph, normed);
        }
        return new Attention.Result(residual.add(fed), attended.keys(), attended.values());
    }
}
