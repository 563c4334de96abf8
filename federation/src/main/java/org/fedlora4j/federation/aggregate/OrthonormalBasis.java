package org.fedlora4j.federation.aggregate;

import java.util.ArrayList;
import java.util.List;

/**
 * An orthonormal basis of vectors that are given one after the other: the QR decomposition of the matrix with these
 * columns, Q the basis and R the coordinates. By Gram-Schmidt, twice for every vector, which is enough for a basis that is
 * orthogonal to rounding (Parlett, The Symmetric Eigenvalue Problem, section 6.9). Commons Math's decomposition makes a
 * square Q, which for a tall matrix is far larger than the matrix.
 */
final class OrthonormalBasis {
    /** Of a vector's length: what is left of one that lies in the basis. Far below float's rounding, above double's. */
    static final double NEGLIGIBLE = 1e-13;

    private final List<double[]> vectors = new ArrayList<>();

    int size() {
        return vectors.size();
    }

    /** What of a vector is orthogonal to the basis. */
    double[] rest(double[] vector) {
        double[] rest = vector.clone();
        takeOut(rest);
        takeOut(rest);
        return rest;
    }

    /**
     * Extends the basis by a vector that does not lie in it, to rounding.
     *
     * @return the vector's coordinates in the basis, as many as that now has
     */
    double[] add(double[] vector) {
        double[] rest = rest(vector);
        double length = Vectors.norm(rest);
        if (length > NEGLIGIBLE * Vectors.norm(vector)) {
            vectors.add(Vectors.scaled(rest, 1 / length));
        }
        return vectors.stream()
                .mapToDouble(direction -> Vectors.dot(direction, vector))
                .toArray();
    }

    /** The vector with these coordinates. */
    double[] combination(double[] coordinates) {
        double[] sum = new double[vectors.get(0).length];
        for (int n = 0; n < coordinates.length; n++) {
            Vectors.addScaled(sum, coordinates[n], vectors.get(n));
        }
        return sum;
    }

    private void takeOut(double[] rest) {
        for (double[] direction : vectors) {
            Vectors.addScaled(rest, -Vectors.dot(direction, rest), direction);
        }
    }
}
