package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ProximalTermTest {
    /** 0.25 + 0.5 (1 - 3), and nothing where the value is the shared one. */
    @Test
    void pullsAValueByItsDifference() {
        ProximalTerm term = new ProximalTerm(0.5);
        term.pull("x", Matrix.of(1, 2, 3, -2));
        Matrix gradient = Matrix.of(1, 2, 0.25f, 1);
        term.addGradient("x", Matrix.of(1, 2, 1, -2), gradient);

        assertThat(gradient).isEqualTo(Matrix.of(1, 2, -0.75f, 1));
    }

    /**
     * Magnitudes 6 and 1 of shared ones 3 and 2 are factors 2 and 1/2; changed by 0.5 and by 1 they are 3 and 1. So the
     * first is pulled by 0.1 (3 - 1) 2 and the second not at all.
     */
    @Test
    void pullsAMagnitudeByItsFactor() {
        assertThat(pullOfFactor(Matrix.of(2, 1, 6, 1), Matrix.of(2, 1, 3, 2), Matrix.of(2, 1, 0.5f, 1))
                        .values())
                .containsExactly(new float[] {0.4f, 0}, within(1e-7f));
    }

    /** The shared 0 has no factor, whatever the client's own magnitude is. */
    @Test
    void aMagnitudeOfZeroPullsAtNothing() {
        assertThat(pullOfFactor(Matrix.of(2, 1, 0, 5), Matrix.of(2, 1, 0, 0), Matrix.of(2, 1, 0.25f, 0)))
                .isEqualTo(Matrix.of(2, 1, 0, 0));
    }

    @Test
    void leavesWhatItDoesNotKnow() {
        Matrix gradient = Matrix.of(1, 2, 0.25f, 1);
        new ProximalTerm(1).addGradient("x", Matrix.of(1, 2, 1, -2), gradient);
        assertThat(gradient).isEqualTo(Matrix.of(1, 2, 0.25f, 1));
    }

    private static Matrix pullOfFactor(Matrix start, Matrix shared, Matrix change) {
        ProximalTerm term = new ProximalTerm(0.1);
        term.pullFactor("m", start, shared);
        Matrix gradient = Matrix.zeros(2, 1);
        term.addGradient("m", change, gradient);
        return gradient;
    }
}
