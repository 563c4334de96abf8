package org.fedlora4j.federation.optimizer;

import java.util.Arrays;
import org.fedlora4j.federation.aggregate.Sphere;
import org.fedlora4j.federation.aggregate.Vectors;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;

/** The space a tensor lives in. A tangent is held as a row-major array of the tensor's shape. */
interface Geometry {
    /** The tangent at {@code from} that leads to {@code to}. */
    double[] log(Matrix from, Matrix to);

    /** The point that a tangent leads to. */
    Matrix exp(Matrix from, double[] tangent);

    /** Makes a tangent of an earlier point one of {@code at}. */
    double[] transport(Matrix at, double[] tangent);

    /** The squares that scale Adam's steps: such that dividing by them keeps a tangent tangent. */
    double[] squares(Matrix at, double[] tangent);

    /** Plain R^n: differences and sums, element by element. */
    final class Flat implements Geometry {
        @Override
        public double[] log(Matrix from, Matrix to) {
            double[] tangent = new double[from.values().length];
            for (int i = 0; i < tangent.length; i++) {
                tangent[i] = (double) to.values()[i] - from.values()[i];
            }
            return tangent;
        }

        @Override
        public Matrix exp(Matrix from, double[] tangent) {
            Matrix to = Matrix.zeros(from.rows(), from.columns());
            for (int i = 0; i < tangent.length; i++) {
                to.values()[i] = (float) (from.values()[i] + tangent[i]);
            }
            return to;
        }

        @Override
        public double[] transport(Matrix at, double[] tangent) {
            return tangent;
        }

        @Override
        public double[] squares(Matrix at, double[] tangent) {
            double[] squares = new double[tangent.length];
            for (int i = 0; i < tangent.length; i++) {
                squares[i] = tangent[i] * tangent[i];
            }
            return squares;
        }
    }

    /** A product of spheres: every row (or column) is a unit vector. */
    final class Spheres implements Geometry {
        private final MagnitudeAxis axis;

        Spheres(MagnitudeAxis axis) {
            this.axis = axis;
        }

        @Override
        public double[] log(Matrix from, Matrix to) {
            return eachVector(from, n -> Sphere.log(Vectors.get(from, n, axis), Vectors.get(to, n, axis)));
        }

        @Override
        public Matrix exp(Matrix from, double[] tangent) {
            Matrix to = Matrix.zeros(from.rows(), from.columns());
            for (int n = 0; n < Vectors.count(from, axis); n++) {
                double[] point = Sphere.exp(Vectors.get(from, n, axis), vector(from, tangent, n));
                Vectors.set(to, n, point, axis);
            }
            return to;
        }

        /** By projection, as is usual for momentum on manifolds (Absil et al., 2008, section 8.1.3). */
        @Override
        public double[] transport(Matrix at, double[] tangent) {
            return eachVector(at, n -> Sphere.project(Vectors.get(at, n, axis), vector(at, tangent, n)));
        }

        /** The vector's squared length for each of its elements, as in Riemannian Adam (arXiv 1810.00760). */
        @Override
        public double[] squares(Matrix at, double[] tangent) {
            return eachVector(at, n -> {
                double[] vector = vector(at, tangent, n);
                double sum = 0;
                for (double value : vector) {
                    sum += value * value;
                }
                Arrays.fill(vector, sum);
                return vector;
            });
        }

        @FunctionalInterface
        private interface VectorFunction {
            double[] of(int n);
        }

        private double[] eachVector(Matrix like, VectorFunction function) {
            double[] all = new double[like.values().length];
            for (int n = 0; n < Vectors.count(like, axis); n++) {
                double[] vector = function.of(n);
                for (int i = 0; i < vector.length; i++) {
                    all[index(like, n, i)] = vector[i];
                }
            }
            return all;
        }

        private double[] vector(Matrix like, double[] tangent, int n) {
            double[] vector = new double[axis == MagnitudeAxis.ROW ? like.columns() : like.rows()];
            for (int i = 0; i < vector.length; i++) {
                vector[i] = tangent[index(like, n, i)];
            }
            return vector;
        }

        private int index(Matrix like, int n, int i) {
            return axis == MagnitudeAxis.ROW ? n * like.columns() + i : i * like.columns() + n;
        }
    }
}
