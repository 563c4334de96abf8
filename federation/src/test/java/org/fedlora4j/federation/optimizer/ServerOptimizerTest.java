package org.fedlora4j.federation.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.junit.jupiter.api.Test;

class ServerOptimizerTest {
    private static final Matrix X = Matrix.of(1, 2, 1, 0);
    private static final Matrix Y = Matrix.of(1, 2, 0, 1);

    @Test
    void aStepOfOneIsTheAggregate() {
        ServerOptimizer optimizer = new ServerOptimizer(ServerSettings.AGGREGATE);
        assertThat(optimizer.step("t", X, Y)).isEqualTo(Y);
        assertThat(optimizer.stepOnSphere("t", X, Y, MagnitudeAxis.ROW)).isEqualTo(Y);
        assertThat(optimizer.state()).isEmpty();
    }

    @Test
    void halfAStepIsHalfTheWay() {
        ServerOptimizer optimizer = new ServerOptimizer(new ServerSettings.Step(0.5));
        assertThat(optimizer.step("t", X, Y)).isEqualTo(Matrix.of(1, 2, 0.5f, 0.5f));
        assertAngle(optimizer.stepOnSphere("t", X, Y, MagnitudeAxis.ROW), 45);
    }

    /** D = 10, then 10: v = 10, then 0.5 * 10 + 10 = 15. */
    @Test
    void momentumGathersSpeed() {
        ServerOptimizer optimizer = new ServerOptimizer(new ServerSettings.Momentum(1, 0.5));
        Matrix first = optimizer.step("t", Matrix.of(1, 1, 0f), Matrix.of(1, 1, 10f));
        assertThat(first).isEqualTo(Matrix.of(1, 1, 10f));
        assertThat(optimizer.step("t", first, Matrix.of(1, 1, 20f))).isEqualTo(Matrix.of(1, 1, 25f));
        assertThat(optimizer.state()).containsExactly(Map.entry("t.mean", Matrix.of(1, 1, 15f)));
    }

    /** On a circle at 0° with D = 30°: at 30°, where the old tangent, seen from there, is cos 30° as long. */
    @Test
    void momentumOnTheSphereStaysOnIt() {
        ServerOptimizer optimizer = new ServerOptimizer(new ServerSettings.Momentum(1, 0.5));
        Matrix first = optimizer.stepOnSphere("t", X, at(30), MagnitudeAxis.ROW);
        assertAngle(first, 30);
        Matrix second = optimizer.stepOnSphere("t", first, at(60), MagnitudeAxis.ROW);
        assertAngle(second, 30 + 30 + 0.5 * 30 * Math.cos(Math.toRadians(30)));
    }

    /** One step: m = 0.1 D, v = 0.01 D², so the move is step * 0.1 D / (0.1 |D| + epsilon), about step * sign(D). */
    @Test
    void adamStepsByTheSign() {
        ServerOptimizer optimizer = new ServerOptimizer(new ServerSettings.Adam(0.5, 0.9, 0.99, 1e-9));
        assertThat(optimizer
                        .step("t", Matrix.of(1, 2, 0, 0), Matrix.of(1, 2, 4, -0.1f))
                        .values())
                .containsExactly(new float[] {0.5f, -0.5f}, within(1e-6f));
    }

    /** On the sphere the whole vector has one scale: the angle moved is the step. */
    @Test
    void adamOnTheSphereMovesAlongTheArc() {
        ServerOptimizer optimizer = new ServerOptimizer(new ServerSettings.Adam(Math.toRadians(10), 0.9, 0.99, 1e-9));
        assertAngle(optimizer.stepOnSphere("t", X, at(70), MagnitudeAxis.ROW), 10);
    }

    @Test
    void columnsMoveAsRowsDo() {
        ServerSettings settings = new ServerSettings.Adam(0.1, 0.9, 0.99, 1e-3);
        Matrix from = Matrix.of(2, 2, 1, 0, 0.6f, 0.8f);
        Matrix to = Matrix.of(2, 2, 0, 1, 0.8f, 0.6f);
        assertThat(new ServerOptimizer(settings)
                        .stepOnSphere("t", from.transpose(), to.transpose(), MagnitudeAxis.COLUMN)
                        .transpose())
                .isEqualTo(new ServerOptimizer(settings).stepOnSphere("t", from, to, MagnitudeAxis.ROW));
    }

    @Test
    void goesOnFromASavedState() {
        ServerSettings settings = new ServerSettings.Adam(0.1, 0.9, 0.99, 1e-3);
        ServerOptimizer straight = new ServerOptimizer(settings);
        Matrix middle = straight.stepOnSphere("t", X, at(20), MagnitudeAxis.ROW);
        ServerOptimizer resumed = new ServerOptimizer(settings, straight.state());

        assertThat(resumed.stepOnSphere("t", middle, at(40), MagnitudeAxis.ROW))
                .isEqualTo(straight.stepOnSphere("t", middle, at(40), MagnitudeAxis.ROW));
        assertThat(resumed.state()).isEqualTo(straight.state()).hasSize(2);
    }

    @Test
    void refusesByName() {
        assertThatThrownBy(() -> new ServerSettings.Step(0))
                .isInstanceOf(BadInputException.class)
                .hasMessage("server.step: 0.0, wanted a number above 0");
        assertThatThrownBy(() -> new ServerSettings.Momentum(1, 1)).hasMessageContaining("server.momentum: 1.0");
        assertThatThrownBy(() -> new ServerSettings.Adam(1, 0, 2, 1)).hasMessageContaining("server.beta2: 2.0");
    }

    private static Matrix at(double degrees) {
        double angle = Math.toRadians(degrees);
        return Matrix.of(1, 2, (float) Math.cos(angle), (float) Math.sin(angle));
    }

    private static void assertAngle(Matrix direction, double degrees) {
        assertThat(direction.values()).containsExactly(at(degrees).values(), within(1e-6f));
    }
}
