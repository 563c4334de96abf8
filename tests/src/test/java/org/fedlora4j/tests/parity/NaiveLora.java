package org.fedlora4j.tests.parity;

import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.Matrix;

/** LoRA of one projection in float64: {@code scale·B·A}, and the gradients that the last backward pass added up. */
final class NaiveLora {
    private final double scale;
    final double[][] a;
    final double[][] b;
    double[][] aGradient;
    double[][] bGradient;

    NaiveLora(LoraPair pair, double scale) {
        this.scale = scale;
        this.a = wide(pair.a());
        this.b = wide(pair.b());
        this.aGradient = new double[a.length][a[0].length];
        this.bGradient = new double[b.length][b[0].length];
    }

    /** What the adapter adds to the projection's result: x [T][in] to [T][out]. */
    double[][] addition(double[][] x) {
        double[][] inner = NaiveMath.product(x, row -> a[row], a.length);
        double[][] added = NaiveMath.product(inner, row -> b[row], b.length);
        for (double[] row : added) {
            for (int i = 0; i < row.length; i++) {
                row[i] *= scale;
            }
        }
        return added;
    }

    /** The gradient for x, [T][in]; those of A and B are kept. */
    double[][] backward(double[][] x, double[][] gradient) {
        double[][] inner = NaiveMath.product(x, row -> a[row], a.length);
        double[][] innerGradient = NaiveMath.productBackward(gradient, row -> b[row], a.length);
        aGradient = new double[a.length][a[0].length];
        bGradient = new double[b.length][b[0].length];
        for (int t = 0; t < x.length; t++) {
            for (int k = 0; k < a.length; k++) {
                innerGradient[t][k] *= scale;
                NaiveMath.addScaled(aGradient[k], x[t], innerGradient[t][k]);
                for (int o = 0; o < b.length; o++) {
                    bGradient[o][k] += scale * gradient[t][o] * inner[t][k];
                }
            }
        }
        return NaiveMath.productBackward(innerGradient, row -> a[row], a[0].length);
    }

    static double[][] wide(Matrix matrix) {
        double[][] wide = new double[matrix.rows()][matrix.columns()];
        for (int row = 0; row < matrix.rows(); row++) {
            for (int column = 0; column < matrix.columns(); column++) {
                wide[row][column] = matrix.get(row, column);
            }
        }
        return wide;
    }
}
