package org.fedlora4j.microbench;

import java.util.List;
import org.fedlora4j.model.exec.FusedScope;
import org.fedlora4j.model.exec.Kernel;
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

        @Override
        void fill(String input, INDArray array) {
            if (input.equals("mask")) {
                for (int row = 0; row < TOKENS; row++) {
                    for (int column = 0; column < TOKENS; column++) {
                        array.putScalar(new int[] {0, 0, row, column}, column > row ? -1e9f : 0);
                    }
                }
            } else {
                super.fill(input, array);
            }
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
    };

    private static final int TOKENS = 512;
    private static final int HIDDEN = 576;
    private static final int HEADS = 9;
    private static final int INNER = 1_536;

    /**
     * What a graph has of it.
     *
     * @param differentiable the inputs that it is differentiated by; all have the output's shape
     */
    record Part(SDVariable output, List<SDVariable> differentiable) {
        Part(SDVariable output, SDVariable... differentiable) {
            this(output, List.of(differentiable));
        }
    }

    /** Adds it to a graph. */
    abstract Part build(SameDiff graph);

    /** Fills an input with what it would hold. */
    void fill(String input, INDArray array) {
        Nd4j.randn(array);
    }

    private static SDVariable input(SameDiff graph, String name, long... shape) {
        return graph.placeHolder(name, DataType.FLOAT, shape);
    }
}
