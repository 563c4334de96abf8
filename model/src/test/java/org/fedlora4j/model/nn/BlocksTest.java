package org.fedlora4j.model.nn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.fedlora4j.model.exec.NativeRuntime;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Norm and rotation against loops over doubles. */
class BlocksTest {
    static {
        NativeRuntime.ensure();
    }

    private static final long SEED = 17;

    private final Random random = new Random(SEED);

    @Test
    void rmsNormOfRowsLargeAndSmall() {
        double epsilon = 1e-5;
        double[][] x = Naive.random(random, 4, 12);
        double[] scales = {1, 1_000, 1e-3, 0};
        double[][] weight = Naive.random(random, 1, 12);
        double[][] wanted = new double[4][12];
        for (int row = 0; row < x.length; row++) {
            double squares = 0;
            for (int i = 0; i < 12; i++) {
                x[row][i] = (float) (x[row][i] * scales[row]);
                squares += x[row][i] * x[row][i];
            }
            for (int i = 0; i < 12; i++) {
                wanted[row][i] = weight[0][i] * x[row][i] / Math.sqrt(squares / 12 + epsilon);
            }
        }
        SameDiff graph = SameDiff.create();
        SDVariable y = RmsNorm.apply(
                graph,
                "norm",
                graph.constant(Naive.array(x)),
                graph.constant(Naive.array(weight).reshape(12)),
                epsilon);
        assertThat(Naive.difference(y.eval(), wanted)).as("seed %d", SEED).isLessThan(1e-5);
    }

    @Test
    void ropeTurnsPairsOfEveryHead() {
        int heads = 3;
        int headSize = 8;
        int[] positions = {0, 1, 2, 77, 4_000};
        double[] frequencies = {1, 0.25, 0.01, 1e-4};
        double[][] x = Naive.random(random, positions.length, heads * headSize);
        INDArray cos = Nd4j.create(DataType.FLOAT, x.length, x[0].length);
        INDArray sin = Nd4j.create(DataType.FLOAT, x.length, x[0].length);
        Rope.fillTables(positions, frequencies, heads, cos, sin);
        SameDiff graph = SameDiff.create();
        SDVariable y = Rope.apply(
                graph,
                "rope",
                graph.constant(Naive.array(x)),
                graph.constant(cos),
                graph.constant(sin),
                graph.constant(Rope.rotateHalf(headSize)),
                positions.length);
        // At position 4,000 the angle itself, a float, is known to 1e-4 only.
        assertThat(Naive.difference(y.eval(), Naive.rotated(x, positions, frequencies)))
                .as("seed %d", SEED)
                .isLessThan(5e-4);
        double[][] near = Arrays.copyOf(x, 4);
        assertThat(Naive.difference(y.eval(), Naive.rotated(near, positions, frequencies)))
                .as("seed %d", SEED)
                .isLessThan(1e-5);
    }
}
