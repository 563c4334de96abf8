package org.fedlora4j.model.nn;

import org.fedlora4j.model.exec.FusedScope;
import org.fedlora4j.model.exec.Kernel;
import org.fedlora4j.model.exec.NativeArrays;
import org.nd4j.autodiff.samediff.NameScope;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Rotary position embedding (Su et al., arXiv 2104.09864) in Hugging Face's half-split convention: within a head, entry i
 * is paired with entry i + h/2, and x · cos + rotateHalf(x) · sin turns each pair by position · inverseFrequency.
 * rotateHalf(x) = (-x₂, x₁) is linear, so it is a product with a constant matrix, whose gradient needs no special op.
 */
public final class Rope {
    private Rope() {}

    /**
     * Rotates every head of every row, in a scope of its own.
     *
     * @param x [N, heads·h]
     * @param cos [N, heads·h], the table of the rows' positions, repeated for each head
     * @param sin [N, heads·h]
     * @param rotateHalf [h, h], {@link #rotateHalf}
     * @return [N, heads·h]
     */
    public static SDVariable apply(
            SameDiff graph,
            String scope,
            SDVariable x,
            SDVariable cos,
            SDVariable sin,
            SDVariable rotateHalf,
            long rows) {
        try (NameScope named = graph.withNameScope(scope);
                FusedScope fused = new FusedScope(graph, Kernel.ROPE)) {
            SDVariable in = fused.input(x);
            SDVariable turned = in.mul(fused.input(cos));
            SDVariable across = fused.input(sin);
            SDVariable half = fused.input(rotateHalf);
            SDVariable rotated = graph.mmul(graph.reshape(in, -1, rotateHalf.getShape()[0]), half); // [N·heads, h]
            return fused.output(turned.add(graph.reshape(rotated, rows, -1).mul(across)));
        }
    }

    /** The matrix R [h, h] with x·R = (-x₂, x₁) for x = (x₁, x₂). */
    public static INDArray rotateHalf(int headSize) {
        INDArray matrix = Nd4j.zeros(DataType.FLOAT, headSize, headSize);
        int half = headSize / 2;
        for (int i = 0; i < half; i++) {
            matrix.putScalar(half + i, i, -1);
            matrix.putScalar(i, half + i, 1);
        }
        return matrix;
    }

    /**
     * Writes the rotation table of the given positions, repeated for each head.
     *
     * @param positions [N], the position of each row
     * @param inverseFrequencies [h/2]
     * @param cos [N, heads·h], overwritten
     * @param sin [N, heads·h], overwritten
     */
    public static void fillTables(int[] positions, double[] inverseFrequencies, int heads, INDArray cos, INDArray sin) {
        int half = inverseFrequencies.length;
        int columns = heads * 2 * half;
        float[] cosines = new float[positions.length * columns];
        float[] sines = new float[positions.length * columns];
        for (int row = 0; row < positions.length; row++) {
            for (int i = 0; i < half; i++) {
                // The angle is a float as in the reference; its cosine is then exact to a float's rounding.
                float angle = positions[row] * (float) inverseFrequencies[i];
                float cosine = (float) Math.cos(angle);
                float sine = (float) Math.sin(angle);
                for (int column = row * columns + i; column < (row + 1) * columns; column += half) {
                    cosines[column] = cosine;
                    sines[column] = sine;
                }
            }
        }
        NativeArrays.write(cosines, cos);
        NativeArrays.write(sines, sin);
    }
}
