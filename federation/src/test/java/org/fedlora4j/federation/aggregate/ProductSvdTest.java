package org.fedlora4j.federation.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.SingularValueDecomposition;
import org.fedlora4j.lora.LoraPair;
import org.fedlora4j.lora.Matrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProductSvdTest {
    private static final float HALF = (float) Math.sqrt(0.5);

    /**
     * 3/4 (4, 0)ᵀ(1, 0) + 1/4 (0, 8)ᵀ(0, 1) = diag(3, 2), whose larger singular value is 3: B = 3 (1, 0)ᵀ, A = (1, 0).
     * The means of A and B by themselves would be (3, 2)ᵀ and (0.75, 0.25).
     */
    @Test
    void theLargerOfTwoProductsByHand() {
        Clients clients = new Clients()
                .add(30, Matrix.of(1, 2, 1, 0), Matrix.of(2, 1, 4, 0))
                .add(10, Matrix.of(1, 2, 0, 1), Matrix.of(2, 1, 0, 8));
        LoraPair mean = clients.mean(new LoraPair(Matrix.of(1, 2, 5, 6), Matrix.of(2, 1, 7, 8)));

        assertThat(mean).isEqualTo(new LoraPair(Matrix.of(1, 2, 1, 0), Matrix.of(2, 1, 3, 0)));
    }

    /**
     * 1/2 (-2, 0)ᵀ(3, 4) + 1/2 (0, -6)ᵀ(3, 4) = -(1, 3)ᵀ(3, 4) = 5 (1, 3)ᵀ (-0.6, -0.8): the left vector's larger element
     * is positive, and B has the singular value.
     */
    @Test
    void theLeftVectorsLargestElementIsPositive() {
        Clients clients = new Clients()
                .add(7, Matrix.of(1, 2, 3, 4), Matrix.of(2, 1, -2, 0))
                .add(7, Matrix.of(1, 2, 3, 4), Matrix.of(2, 1, 0, -6));
        LoraPair mean = clients.mean(new LoraPair(Matrix.of(1, 2, 1, 0), Matrix.of(2, 1, 0, 0)));

        assertThat(mean.b().values()).containsExactly(new float[] {5, 15}, within(1e-5f));
        assertThat(mean.a().values()).containsExactly(new float[] {-0.6f, -0.8f}, within(1e-6f));
    }

    /**
     * 1/2 (6, 8)ᵀ(1, 0) + 1/2 ((0, 4)ᵀ + (0, 6)ᵀ)(0, 1) = W = [3 0; 4 5]. WᵀW = [25 20; 20 25] has the eigenvalues 45 and
     * 5 with (1, 1) and (1, -1), so A = [1 1; 1 -1] / √2, and B's columns are W (1, 1)ᵀ / √2 = (3, 9) / √2 and W (1, -1)ᵀ /
     * √2 = (3, -1) / √2, of lengths √45 and √5.
     */
    @Test
    void twoClientsOfRankOneAndTwoByHand() {
        Clients clients = new Clients()
                .add(1, Matrix.of(2, 2, 1, 0, 0, 0), Matrix.of(2, 2, 6, 0, 8, 0))
                .add(1, Matrix.of(2, 2, 0, 1, 0, 1), Matrix.of(2, 2, 0, 0, 4, 6));
        LoraPair mean = clients.mean(new LoraPair(Matrix.of(2, 2, 1, 0, 0, 1), Matrix.zeros(2, 2)));

        assertThat(mean.a().values()).containsExactly(new float[] {HALF, HALF, HALF, -HALF}, within(1e-6f));
        assertThat(mean.b().values()).containsExactly(new float[] {3 * HALF, 3 * HALF, 9 * HALF, -HALF}, within(1e-5f));
    }

    /**
     * The product is 2 (1, 0)ᵀ(1, 0, 0) and has one component. The rest of A's rows (3, 0, 0), (5, 2, 0) and (4, 1, 0) beside
     * (1, 0, 0) is (0, 0, 0), (0, 2, 0) and (0, 1, 0); the second is longest, and with (0, 1, 0) too nothing is left, so the
     * third row stays as it was.
     */
    @Test
    void whatTheProductLacksIsTakenFromTheRowsBefore() {
        LoraPair current = new LoraPair(Matrix.of(3, 3, 3, 0, 0, 5, 2, 0, 4, 1, 0), Matrix.zeros(3, 3));
        Matrix b = Matrix.zeros(3, 3);
        b.values()[0] = 2;
        LoraPair mean = new Clients()
                .add(1, Matrix.of(3, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0), b)
                .mean(current);

        assertThat(mean).isEqualTo(new LoraPair(Matrix.of(3, 3, 1, 0, 0, 0, 1, 0, 4, 1, 0), b));
    }

    /** Before training, and where clients undo each other. */
    @Test
    void whereTheProductIsZeroTheCurrentValuesStay() {
        LoraPair current = new LoraPair(Matrix.of(1, 2, 0.3f, -0.7f), Matrix.of(2, 1, 0.2f, 0.1f));
        Matrix a = Matrix.of(1, 2, 0.9f, 0.4f);

        assertThat(new Clients()
                        .add(3, a, Matrix.zeros(2, 1))
                        .add(5, a, Matrix.zeros(2, 1))
                        .mean(current))
                .isEqualTo(current);
        assertThat(new Clients()
                        .add(3, a, Matrix.of(2, 1, 0.1f, 0.3f))
                        .add(3, a, Matrix.of(2, 1, -0.1f, -0.3f))
                        .mean(current))
                .isEqualTo(current);
    }

    /** By Eckart and Young no matrix of rank k is closer than the root of the sum of the other singular values' squares. */
    @ParameterizedTest
    @CsvSource({
        "7, 9, 1, 1, 1",
        "9, 7, 2, 3, 2",
        "12, 5, 4, 2, 3",
        "5, 12, 4, 6, 4",
        "6, 6, 6, 4, 5",
        "40, 30, 8, 5, 6",
        "30, 40, 8, 1, 7",
        "64, 64, 4, 20, 8"
    })
    void everyNumberOfComponentsIsTheBestOfItsRank(int out, int in, int rank, int count, long seed) {
        Random random = new Random(seed);
        Clients clients = new Clients();
        for (int client = 0; client < count; client++) {
            int own = client == 0 ? rank : 1 + random.nextInt(rank);
            LoraPair pair = new LoraPair(gaussian(random, rank, in), gaussian(random, out, rank)).cutTo(own);
            clients.add(1 + random.nextInt(50), pair.a(), pair.b());
        }
        RealMatrix product = clients.product();
        double[] singular = new SingularValueDecomposition(product).getSingularValues();
        LoraPair mean = clients.mean(new LoraPair(gaussian(random, rank, in), Matrix.zeros(out, rank)));

        for (int components = 0; components <= rank; components++) {
            double best = 0;
            for (int i = components; i < singular.length; i++) {
                best += singular[i] * singular[i];
            }
            double distance = product.subtract(product(mean.cutTo(components))).getFrobeniusNorm();
            assertThat(distance)
                    .as("%d components, seed %d", components, seed)
                    .isCloseTo(Math.sqrt(best), within(1e-6 * singular[0]));
        }
        RealMatrix a = dense(mean.a());
        for (int i = 0; i < rank; i++) {
            for (int j = 0; j < rank; j++) {
                assertThat(a.getRowVector(i).dotProduct(a.getRowVector(j)))
                        .as("rows %d and %d of A, seed %d", i, j, seed)
                        .isCloseTo(i == j ? 1 : 0, within(1e-6));
            }
        }
    }

    private static RealMatrix product(LoraPair pair) {
        return dense(pair.b()).multiply(dense(pair.a()));
    }

    private static RealMatrix dense(Matrix matrix) {
        RealMatrix dense = new Array2DRowRealMatrix(matrix.rows(), matrix.columns());
        for (int i = 0; i < matrix.rows(); i++) {
            for (int j = 0; j < matrix.columns(); j++) {
                dense.setEntry(i, j, matrix.get(i, j));
            }
        }
        return dense;
    }

    private static Matrix gaussian(Random random, int rows, int columns) {
        Matrix matrix = Matrix.zeros(rows, columns);
        for (int i = 0; i < matrix.values().length; i++) {
            matrix.values()[i] = (float) random.nextGaussian();
        }
        return matrix;
    }

    private static final class Clients {
        private final List<Contribution> as = new ArrayList<>();
        private final List<Contribution> bs = new ArrayList<>();

        Clients add(double weight, Matrix a, Matrix b) {
            as.add(new Contribution(weight, a));
            bs.add(new Contribution(weight, b));
            return this;
        }

        LoraPair mean(LoraPair current) {
            return ProductSvd.mean(current, as, bs);
        }

        /** The naive mean of the dense products. */
        RealMatrix product() {
            RealMatrix sum = null;
            double weights = 0;
            for (int k = 0; k < as.size(); k++) {
                RealMatrix next = dense(bs.get(k).value())
                        .multiply(dense(as.get(k).value()))
                        .scalarMultiply(as.get(k).weight());
                sum = sum == null ? next : sum.add(next);
                weights += as.get(k).weight();
            }
            return Objects.requireNonNull(sum).scalarMultiply(1 / weights);
        }
    }
}
