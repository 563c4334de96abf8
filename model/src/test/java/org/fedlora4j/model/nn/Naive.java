package org.fedlora4j.model.nn;

import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Matrices of doubles and the loops that the blocks are compared with. */
final class Naive {
    private Naive() {}

    static double[][] random(Random random, int rows, int columns) {
        double[][] matrix = new double[rows][columns];
        for (double[] row : matrix) {
            for (int i = 0; i < columns; i++) {
                // A float's value, so that both sides compute from the same numbers.
                row[i] = (float) random.nextGaussian();
            }
        }
        return matrix;
    }

    static INDArray array(double[][] matrix) {
        return Nd4j.createFromArray(matrix).castTo(DataType.FLOAT);
    }

    /** x·wᵀ. */
    static double[][] product(double[][] x, double[][] w) {
        double[][] product = new double[x.length][w.length];
        for (int i = 0; i < x.length; i++) {
            for (int j = 0; j < w.length; j++) {
                for (int k = 0; k < w[j].length; k++) {
                    product[i][j] += x[i][k] * w[j][k];
                }
            }
        }
        return product;
    }

    /** Turns every pair (i, i + h/2) of every head by the row's position times the pair's frequency. */
    static double[][] rotated(double[][] x, int[] positions, double[] frequencies) {
        int half = frequencies.length;
        double[][] rotated = new double[x.length][x[0].length];
        for (int row = 0; row < x.length; row++) {
            for (int i = 0; i < x[row].length; i++) {
                int inHead = i % (2 * half);
                int pair = inHead % half;
                double angle = positions[row] * frequencies[pair];
                double other = inHead < half ? -x[row][i + half] : x[row][i - half];
                rotated[row][i] = x[row][i] * Math.cos(angle) + other * Math.sin(angle);
            }
        }
        return rotated;
    }

    /** The largest absolute difference; NaN if any element is. */
    static double difference(INDArray found, double[][] wanted) {
        double largest = 0;
        for (int row = 0; row < wanted.length; row++) {
            for (int i = 0; i < wanted[row].length; i++) {
                largest = Math.max(largest, Math.abs(found.getDouble(row, i) - wanted[row][i]));
            }
        }
        return largest;
    }
}
