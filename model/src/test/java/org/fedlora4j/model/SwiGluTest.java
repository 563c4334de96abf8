package org.fedlora4j.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.fedlora4j.model.exec.NativeRuntime;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.nn.Projection;
import org.fedlora4j.model.nn.SwiGlu;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The feed-forward block against its formula in double. Real gates reach 100, where exp overflows a float. */
class SwiGluTest {
    static {
        NativeRuntime.ensure();
    }

    private static final double[] GATES = {-100, -45, -20, -1, 0, 0.5, 1, 20, 45, 89, 100};
    private static final double UP = 0.75;
    private static final double DOWN = -0.5;

    @Test
    void valueAndGradientAtGatesOfAnySize() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder(LlamaGraph.INPUT, DataType.FLOAT, GATES.length, 1);
        // The gate's weight is 1, so x is the gate.
        SDVariable y = new SwiGlu(frozen(graph, 1), frozen(graph, UP), frozen(graph, DOWN))
                .apply(graph, x)
                .rename(LlamaGraph.OUTPUT);
        SDVariable above = graph.placeHolder(LlamaGraph.OUTPUT_GRADIENT, DataType.FLOAT, GATES.length, 1);
        graph.setLossVariables(y.mul(above).sum().name());
        CompiledGraph.withGradient(graph, List.of(LlamaGraph.INPUT), Precision.F32, true);

        Map<String, INDArray> inputs = Map.of(
                LlamaGraph.INPUT,
                Nd4j.createFromArray(GATES).castTo(DataType.FLOAT).reshape(GATES.length, 1),
                LlamaGraph.OUTPUT_GRADIENT,
                Nd4j.ones(DataType.FLOAT, GATES.length, 1));
        INDArray found = graph.outputSingle(inputs, LlamaGraph.OUTPUT);
        INDArray gradient = Objects.requireNonNull(
                graph.calculateGradients(inputs, LlamaGraph.INPUT).get(LlamaGraph.INPUT));
        for (int row = 0; row < GATES.length; row++) {
            double gate = GATES[row];
            double sigmoid = 1 / (1 + Math.exp(-gate));
            double slope = sigmoid * (1 + gate * (1 - sigmoid));
            assertClose(found.getDouble(row, 0), DOWN * UP * gate * sigmoid * gate, gate);
            assertClose(gradient.getDouble(row, 0), DOWN * UP * (slope * gate + gate * sigmoid), gate);
        }
    }

    private static void assertClose(double found, double wanted, double gate) {
        assertThat(Math.abs(found - wanted))
                .as("%s, wanted %s, at gate %s", found, wanted, gate)
                .isLessThanOrEqualTo(2e-6 * Math.abs(wanted) + 1e-7);
    }

    private static Projection frozen(SameDiff graph, double weight) {
        return Projection.frozen(graph.constant(Nd4j.valueArrayOf(new long[] {1, 1}, weight, DataType.FLOAT)));
    }
}
