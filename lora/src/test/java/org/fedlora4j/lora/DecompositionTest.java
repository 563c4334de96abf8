package org.fedlora4j.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DecompositionTest {
    private static final long SEED = 11;
    private static final String QUERY = "model.layers.0.self_attn.q_proj";

    private final Random random = new Random(SEED);

    @Test
    void splitsByRows() {
        var parts = Decomposition.decompose(Matrix.of(2, 2, 3, 4, 0, -2), MagnitudeAxis.ROW);

        assertThat(parts.magnitude()).isEqualTo(Matrix.of(2, 1, 5, 2));
        assertThat(parts.direction()).isEqualTo(Matrix.of(2, 2, 0.6f, 0.8f, 0, -1));
    }

    @Test
    void splitsByColumns() {
        var parts = Decomposition.decompose(Matrix.of(2, 2, 3, 0, 4, -2), MagnitudeAxis.COLUMN);

        assertThat(parts.magnitude()).isEqualTo(Matrix.of(1, 2, 5, 2));
        assertThat(parts.direction()).isEqualTo(Matrix.of(2, 2, 0.6f, 0, 0.8f, -1));
    }

    @ParameterizedTest
    @EnumSource
    void aZeroVectorHasMagnitudeAndDirectionZero(MagnitudeAxis axis) {
        Matrix zero = Matrix.zeros(1, 1);
        var parts = Decomposition.decompose(zero, axis);

        assertThat(parts.magnitude()).isEqualTo(zero);
        assertThat(parts.direction()).isEqualTo(zero);
    }

    @ParameterizedTest
    @EnumSource
    void recomposingGivesTheAdapterBack(MagnitudeAxis axis) {
        AdapterState adapter = adapter(random(4, 24), random(16, 4));
        AdapterState back = DecomposedAdapter.of(adapter, axis).toAdapter();

        LoraPair before = adapter.pair(QUERY);
        LoraPair after = back.pair(QUERY);
        assertThat(after.a().values()).containsExactly(before.a().values(), within(1e-6f));
        assertThat(after.b().values()).containsExactly(before.b().values(), within(1e-6f));
    }

    @ParameterizedTest
    @EnumSource
    void directionsAreUnit(MagnitudeAxis axis) {
        Matrix direction = Decomposition.normalize(random(5, 7), axis);
        Matrix rows = axis == MagnitudeAxis.ROW ? direction : direction.transpose();
        for (int i = 0; i < rows.rows(); i++) {
            double squares = 0;
            for (float value : rows.row(i)) {
                squares += (double) value * value;
            }
            assertThat(squares).isCloseTo(1, within(1e-6));
        }
    }

    /** L = <G, diag(m) D / ||D||>, so dL/dA = G; compared with central differences. */
    @ParameterizedTest
    @EnumSource
    void gradientsAreThoseOfTheRecomposedMatrix(MagnitudeAxis axis) {
        Matrix gradient = random(3, 5);
        Matrix free = random(3, 5);
        Matrix magnitude = axis == MagnitudeAxis.ROW ? random(3, 1) : random(1, 5);
        ToDoubleFunction<Matrix> ofFree = d -> loss(gradient, magnitude, d, axis);
        ToDoubleFunction<Matrix> ofMagnitude = m -> loss(gradient, m, free, axis);

        assertThat(Decomposition.directionGradient(gradient, magnitude, free, axis)
                        .values())
                .containsExactly(differences(ofFree, free), within(2e-3f));
        assertThat(Decomposition.magnitudeGradient(gradient, Decomposition.normalize(free, axis), axis)
                        .values())
                .containsExactly(differences(ofMagnitude, magnitude), within(2e-3f));
    }

    @ParameterizedTest
    @EnumSource
    void theDirectionGradientIsTangent(MagnitudeAxis axis) {
        Matrix free = random(3, 5);
        Matrix magnitude = axis == MagnitudeAxis.ROW ? random(3, 1) : random(1, 5);
        Matrix tangent = Decomposition.directionGradient(random(3, 5), magnitude, free, axis);

        for (float dot : Decomposition.magnitudeGradient(tangent, free, axis).values()) {
            assertThat(dot).isCloseTo(0, within(1e-6f));
        }
    }

    @Test
    void anUntrainedAdapterIsRefused() {
        AdapterState untrained = adapter(random(4, 24), Matrix.zeros(16, 4));
        assertThatThrownBy(() -> DecomposedAdapter.of(untrained, MagnitudeAxis.ROW))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("warm-up needed");
    }

    @Test
    void aMagnitudeMustFitItsDirection() {
        assertThatThrownBy(() -> Decomposition.recompose(Matrix.zeros(3, 1), Matrix.zeros(3, 5), MagnitudeAxis.COLUMN))
                .hasMessage("magnitude: [3, 1], a direction of [3, 5] wants [1, 5]");
    }

    private static double loss(Matrix gradient, Matrix magnitude, Matrix free, MagnitudeAxis axis) {
        Matrix a = Decomposition.recompose(magnitude, Decomposition.normalize(free, axis), axis);
        double sum = 0;
        for (int i = 0; i < a.values().length; i++) {
            sum += (double) a.values()[i] * gradient.values()[i];
        }
        return sum;
    }

    private static float[] differences(ToDoubleFunction<Matrix> loss, Matrix at) {
        float[] differences = new float[at.values().length];
        float step = 1e-3f;
        for (int i = 0; i < differences.length; i++) {
            Matrix up = at.copy();
            up.values()[i] += step;
            Matrix down = at.copy();
            down.values()[i] -= step;
            differences[i] = (float) ((loss.applyAsDouble(up) - loss.applyAsDouble(down)) / (2 * step));
        }
        return differences;
    }

    private static AdapterState adapter(Matrix a, Matrix b) {
        return new AdapterState(LoraConfig.of(4, 8, "q_proj"), new TreeMap<>(Map.of(QUERY, new LoraPair(a, b))));
    }

    private Matrix random(int rows, int columns) {
        Matrix matrix = Matrix.zeros(rows, columns);
        for (int i = 0; i < matrix.values().length; i++) {
            matrix.values()[i] = (float) random.nextGaussian();
        }
        return matrix;
    }
}
