package org.fedlora4j.federation.aggregate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class OrthonormalBasisTest {
    /** (3, 4, 0) is 5 q_1; (5, 0, 12) is 3 q_1 and the rest (3.2, -2.4, 12), of length √(16 + 144) = √160. */
    @Test
    void coordinatesByHand() {
        OrthonormalBasis basis = new OrthonormalBasis();

        assertThat(basis.add(new double[] {3, 4, 0})).containsExactly(new double[] {5}, within(1e-15));
        assertThat(basis.add(new double[] {5, 0, 12})).containsExactly(new double[] {3, Math.sqrt(160)}, within(1e-14));
        assertThat(basis.combination(new double[] {3, Math.sqrt(160)}))
                .containsExactly(new double[] {5, 0, 12}, within(1e-14));
    }

    @Test
    void whatLiesInTheBasisDoesNotExtendIt() {
        OrthonormalBasis basis = new OrthonormalBasis();
        basis.add(new double[] {0.1, 0.7, 0.3});
        basis.add(new double[] {0.9, -0.2, 0.4});

        assertThat(basis.add(new double[] {1.0, 0.5, 0.7})).hasSize(2);
        assertThat(basis.add(new double[3])).containsExactly(0, 0);
        assertThat(basis.size()).isEqualTo(2);
    }

    /** Läuchli's vectors, on which Gram and Schmidt's process fails when it runs once: q_2 and q_3 are then at 60°. */
    @Test
    void almostEqualVectorsGiveAnOrthogonalBasis() {
        double small = 1e-9;
        OrthonormalBasis basis = new OrthonormalBasis();
        basis.add(new double[] {1, small, 0, 0});
        basis.add(new double[] {1, 0, small, 0});
        basis.add(new double[] {1, 0, 0, small});

        assertThat(basis.size()).isEqualTo(3);
        double[][] directions = {
            basis.combination(new double[] {1}),
            basis.combination(new double[] {0, 1}),
            basis.combination(new double[] {0, 0, 1})
        };
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                assertThat(Vectors.dot(directions[i], directions[j])).isCloseTo(i == j ? 1 : 0, within(1e-15));
            }
        }
    }
}
