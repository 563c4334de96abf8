package org.fedlora4j.model;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.nn.Attention;
import org.fedlora4j.model.nn.DecoderLayer;
import org.fedlora4j.model.nn.Projection;
import org.fedlora4j.model.nn.RmsNorm;
import org.fedlora4j.model.nn.Rope;
import org.fedlora4j.model.nn.SwiGlu;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The LLaMA model as three SameDiff graphs: embedding, one decoder layer, head. A model runs the layer's graph once per
 * layer, with that layer's weights.
 *
 * <p>Each graph maps an input {@link #INPUT} to an output {@link #OUTPUT}. Where a gradient is wanted, the graph's loss is
 * sum(output · {@link #OUTPUT_GRADIENT}), whose gradient by any variable is the chain rule's product with the gradient of
 * the output.
 */
final class LlamaGraph {
    static final String INPUT = "x";
    static final String OUTPUT = "y";
    static final String OUTPUT_GRADIENT = "gradient_of_y";
    static final String MASK = "mask";
    static final String KEYS = "keys";
    static final String VALUES = "values";
    static final String CACHED_KEYS = "cached_keys";
    static final String CACHED_VALUES = "cached_values";
    static final List<String> ROTATION = List.of("query_cos", "query_sin", "key_cos", "key_sin");
    static final String INPUT_NORM = "input_layernorm";
    static final String POST_ATTENTION_NORM = "post_attention_layernorm";
    static final String EMBEDDING = "embed_tokens";
    static final String NORM = "norm";
    static final String HEAD = "lm_head";
    static final List<String> PROJECTIONS = List.of(
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "mlp.gate_proj",
            "mlp.up_proj",
            "mlp.down_proj");

    /** The weights of a layer by name. */
    static final List<String> LAYER_WEIGHTS = Stream.concat(
                    PROJECTIONS.stream(), Stream.of(INPUT_NORM, POST_ATTENTION_NORM))
            .toList();

    private LlamaGraph() {}

    /** What a layer's graph depends on beside the configuration. S = {@code cachedTokens}. */
    record LayerShape(int batch, int tokens, int cachedTokens, boolean training) {
        int rows() {
            return batch * tokens;
        }
    }

    /**
     * The graph of a decoder layer: {@link #INPUT} [N, D], {@link #MASK} [B, 1, T, S+T], {@link #ROTATION} tables and,
     * where S > 0, {@link #CACHED_KEYS} and {@link #CACHED_VALUES} [B, K, S, h], to {@link #OUTPUT} [N, D],
     * {@link #KEYS} and {@link #VALUES} [B, K, T, h].
     *
     * @param weights the layer's weights by module name; their values are bound later, their shapes count here
     */
    static SameDiff layer(
            LlamaConfig config, LayerShape shape, Map<String, INDArray> weights, Adapter adapter, int layer) {
        SameDiff graph = SameDiff.create();
        int rows = shape.rows();
        int keyValueHeads = config.keyValueHeads();
        SDVariable x = graph.placeHolder(INPUT, DataType.FLOAT, rows, config.hiddenSize());
        SDVariable mask = graph.placeHolder(
                MASK, DataType.FLOAT, shape.batch, 1, shape.tokens, shape.cachedTokens + shape.tokens);
        SDVariable[] tables = new SDVariable[ROTATION.size()];
        for (int i = 0; i < tables.length; i++) {
            int width = i < 2 ? config.querySize() : config.keyValueSize();
            tables[i] = graph.placeHolder(ROTATION.get(i), DataType.FLOAT, rows, width);
        }
        SDVariable rotateHalf = graph.constant("rotate_half", Rope.rotateHalf(config.headSize()));
        Attention.Cache cache = null;
        if (shape.cachedTokens > 0) {
            long[] cached = {shape.batch, keyValueHeads, shape.cachedTokens, config.headSize()};
            cache = new Attention.Cache(
                    graph.placeHolder(CACHED_KEYS, DataType.FLOAT, cached),
                    graph.placeHolder(CACHED_VALUES, DataType.FLOAT, cached),
                    shape.cachedTokens);
        }
        Projection[] projections = PROJECTIONS.stream()
                .map(module -> adapter.adapt(
                        graph, layer, module, Projection.frozen(weight(graph, module, weights)), rows, shape.training))
                .toArray(Projection[]::new);
        Attention attention = new Attention(
                new Attention.Dimensions(shape.batch, shape.tokens, config.heads(), keyValueHeads, config.headSize()),
                projections[0],
                projections[1],
                projections[2],
                projections[3],
                new Attention.Rotation(tables[0], tables[1], tables[2], tables[3], rotateHalf));
        DecoderLayer block = new DecoderLayer(
                attention,
                new SwiGlu(projections[4], projections[5], projections[6]),
                weight(graph, INPUT_NORM, weights),
                weight(graph, POST_ATTENTION_NORM, weights),
                config.rmsNormEps());
        Attention.Result result = block.apply(graph, x, mask, cache);
        result.keys().rename(KEYS);
        result.values().rename(VALUES);
        finish(graph, result.output(), shape.training, rows, config.hiddenSize());
        return graph;
    }

    /** The graph of the head, logits of {@link #INPUT} [R, D]: final norm, then {@link #OUTPUT} [R, V] = norm·Wᵀ. */
    static SameDiff head(LlamaConfig config, int rows, INDArray norm, INDArray weight, boolean training) {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder(INPUT, DataType.FLOAT, rows, config.hiddenSize());
        SDVariable normed = RmsNorm.apply(graph, "final", x, weight(graph, NORM, norm), config.rmsNormEps());
        SDVariable logits = Projection.frozen(weight(graph, HEAD, weight)).apply(graph, normed);
        finish(graph, logits, training, rows, config.vocabularySize());
        return graph;
    }

    /** The graph of the embedding, token ids {@link #INPUT} int32 [N] to {@link #OUTPUT} float [N, D]. */
    static SameDiff embedding(int rows, INDArray table) {
        SameDiff graph = SameDiff.create();
        SDVariable ids = graph.placeHolder(INPUT, DataType.INT32, rows);
        // Bound later, as all weights: a constant would be a copy of it.
        SDVariable rowsOfTable = graph.placeHolder(EMBEDDING, table.dataType(), table.shape());
        SDVariable gathered = graph.gather(rowsOfTable, ids, 0);
        gathered.castTo(OUTPUT, DataType.FLOAT);
        return graph;
    }

    private static SDVariable weight(SameDiff graph, String name, Map<String, INDArray> weights) {
        return weight(graph, name, Objects.requireNonNull(weights.get(name), name));
    }

    /** A frozen weight, to be bound later, in whatever type: the graph's is float32. */
    private static SDVariable weight(SameDiff graph, String name, INDArray like) {
        return graph.placeHolder(name, DataType.FLOAT, like.shape());
    }

    private static void finish(SameDiff graph, SDVariable output, boolean training, long... shape) {
        SDVariable y = output.rename(OUTPUT);
        if (training) {
            SDVariable gradient = graph.placeHolder(OUTPUT_GRADIENT, DataType.FLOAT, shape);
            graph.setLossVariables(y.mul(gradient).sum().name());
        }
    }
}
