package org.fedlora4j.microbench;

import java.util.List;
import java.util.Set;
import org.fedlora4j.model.exec.FusedScope;
import org.fedlora4j.model.exec.Kernel;
import org.fedlora4j.model.nn.Attention;
import org.fedlora4j.model.nn.RmsNorm;
import org.fedlora4j.model.nn.Rope;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A part of a layer as a graph, in the size of SmolLM2-135M and 512 tokens. Another part to be timed is another
 * constant.
 */
public enum Op {
    RMS_NORM {
        @Override
        Part build(SameDiff graph) {
            SDVariable x = input(graph, "x", TOKENS, HIDDEN);
            SDVariable weight = input(graph, "weight", HIDDEN);
            return new Part(RmsNorm.apply(graph, "norm", x, weight, 1e-5), x);
        }
    },

    ROPE {
        @Override
        Part build(SameDiff graph) {
            SDVariable x = input(graph, "x", TOKENS, HIDDEN);
            SDVariable cos = input(graph, "cos", TOKENS, HIDDEN);
            SDVariable sin = input(graph, "sin", TOKENS, HIDDEN);
            SDVariable rotateHalf = graph.constant("rotate_half", Rope.rotateHalf(HIDDEN / HEADS));
            return new Part(Rope.apply(graph, "rotation", x, cos, sin, rotateHalf, TOKENS), x);
        }

        @Override
        Set<String> bf16Inputs() {
            return Set.of("x");
        }
    },

    SOFTMAX {
        @Override
        Part build(SameDiff graph) {
            SDVariable scores = input(graph, "scores", 1, HEADS, TOKENS, TOKENS);
            SDVariable mask = input(graph, "mask", 1, 1, TOKENS, TOKENS);
            try (FusedScope fused = new FusedScope(graph, Kernel.SOFTMAX)) {
                SDVariable scaled = fused.input(scores).mul(fused.constant("scale", 0.125));
                SDVariable weights = graph.nn.softmax(scaled.add(fused.input(mask)), -1);
                return new Part(fused.output(weights), scores);
            }
        }
    },

    /** Queries and keys are rotated before. */
    ATTENTION {
        @Override
        Part build(SameDiff graph) {
            SDVariable queries = input(graph, "queries", TOKENS, HIDDEN);
            SDVariable keys = input(graph, "keys", TOKENS, KEYS);
            SDVariable values = input(graph, "values", TOKENS, KEYS);
            Attention attention = new Attention(
                    new Attention.Dimensions(1, TOKENS, HEADS, KEY_VALUE_HEADS, HIDDEN / HEADS),
                    (g, x) -> queries,
                    (g, x) -> keys,
                    (g, x) -> values,
                    (g, x) -> x,
                    new Attention.Rotation(
                            input(graph, "query_cos", TOKENS, HIDDEN),
                            input(graph, "query_sin", TOKENS, HIDDEN),
                            input(graph, "key_cos", TOKENS, KEYS),
                            input(graph, "key_sin", TOKENS, KEYS),
                            graph.constant("rotate_half", Rope.rotateHalf(HIDDEN / HEADS))));
            SDVariable mask = input(graph, "mask", 1, 1, TOKENS, TOKENS);
            return new Part(attention.apply(graph, queries, mask, null).output(), queries, keys, values);
        }

        @Override
        Set<String> bf16Inputs() {
            return Set.of("queries", "keys", "values", GRADIENT);
        }
    },

    SWIGLU {
        @Override
        Part build(SameDiff graph) {
            SDVariable gate = input(graph, "gate", TOKENS, INNER);
            SDVariable up = input(graph, "up", TOKENS, INNER);
            try (FusedScope fused = new FusedScope(graph, Kernel.SWIGLU)) {
                SDVariable g = fused.input(gate);
                SDVariable y = g.mul(graph.nn.sigmoid(g)).mul(fused.input(up));
                return new Part(fused.output(y), gate, up);
            }
        }

        @Override
        Set<String> bf16Inputs() {
            return Set.of("gate", "up", GRADIENT);
        }
    };

    /** The name of the output's gradient among the inputs. */
    static final String GRADIENT = "dy";

    private static final int TOKENS = 512;
    private static final int HIDDEN = 576;
    private static final int HEADS = 9;
    private static final int KEY_VALUE_HEADS = 3;
    private static final int KEYS = HIDDEN / HEADS * KEY_VALUE_HEADS;
    private static final int INNER = 1_536;

    /**
     * What a graph has of it.
     *
     * @param differentiable the inputs that it is differentiated by; the first has the output's shape
     */
    record Part(SDVariable output, List<SDVariable> differentiable) {
        Part(SDVariable output, SDVariable... differentiable) {
            this(output, List.of(differentiable));
        }
    }

    /** Adds it to a graph. */
    abstract Part build(SameDiff graph);

    /** The inputs that a training step in bfloat16 has in that type. */
    Set<String> bf16Inputs() {
        return Set.of();
    }

    /** Fills an input with what it would hold. */
    void fill(String input, INDArray array) {
        if (!input.equals("mask")) {
            Nd4j.randn(array);
            return;
        }
        for (int row = 0; row < TOKENS; row++) {
            for (int column = 0; column < TOKENS; column++) {
                array.putScalar(new int[] {0, 0, row, column}, column > row ? -1e9f : 0);
            }
        }
    }

    private static SDVariable input(SameDiff graph, String name, long... shape) {
        return graph.placeHolder(name, DataType.FLOAT, shape);
    }
}
