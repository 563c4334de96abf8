package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class MatrixTest {
    private final Matrix matrix = Matrix.of(2, 3, 1, 2, 3, 4, 5, 6);

    @Test
    void isRowMajor() {
        assertThat(matrix.get(1, 0)).isEqualTo(4);
        assertThat(matrix.row(1)).containsExactly(4, 5, 6);
        assertThat(matrix.transpose()).isEqualTo(Matrix.of(3, 2, 1, 4, 2, 5, 3, 6));
    }

    @Test
    void comparesShapeAndBits() {
        assertThat(matrix).isEqualTo(matrix.copy()).hasSameHashCodeAs(matrix.copy());
        assertThat(matrix).isNotEqualTo(Matrix.of(3, 2, 1, 2, 3, 4, 5, 6));
        assertThat(Matrix.of(1, 1, 0f)).isNotEqualTo(Matrix.of(1, 1, -0f));
    }

    @Test
    void aCopyIsItsOwn() {
        Matrix copy = matrix.copy();
        copy.values()[0] = 9;
        assertThat(matrix.get(0, 0)).isEqualTo(1);
    }

    @Test
    void knowsWhatItHolds() {
        assertThat(Matrix.zeros(2, 2).isZero()).isTrue();
        assertThat(matrix.isZero()).isFalse();
        assertThat(matrix.isFinite()).isTrue();
        assertThat(Matrix.of(1, 2, 0, Float.NaN).isFinite()).isFalse();
        assertThat(Matrix.of(1, 2, 0, Float.NEGATIVE_INFINITY).isFinite()).isFalse();
    }

    @Test
    void refusesAWrongNumberOfValues() {
        assertThatThrownBy(() -> Matrix.of(2, 2, 1, 2, 3)).hasMessageContaining("values: 3");
        // 65536 * 65536 is 0 in int arithmetic
        assertThatThrownBy(() -> Matrix.of(65536, 65536)).isInstanceOf(IllegalArgumentException.class);
    }
}
