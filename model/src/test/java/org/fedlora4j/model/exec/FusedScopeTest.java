package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.fedlora4j.model.nn.RmsNorm;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** That kernels take the place of scopes; that they compute the same is LayerPlanTest's. */
class FusedScopeTest {
    private final SameDiff graph = SameDiff.create();

    @BeforeEach
    void norm() {
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, 3, 8);
        SDVariable weight = graph.constant("w", Nd4j.ones(DataType.FLOAT, 8));
        SDVariable y = RmsNorm.apply(graph, "norm", x, weight, 1e-5);
        graph.setLossVariables(x.add(y).sum().name());
        graph.createGradFunction("x");
    }

    @AfterEach
    void kernelsAsTheyWere() {
        System.clearProperty("fedlora.kernels");
    }

    @Test
    void aScopeAndItsGradientAreAKernelEach() {
        SameDiff gradient = Objects.requireNonNull(graph.getFunction("grad"));
        List<Step> steps = FusedScope.steps(gradient, UnaryOperator.identity(), true);
        assertThat(steps).extracting(Step::kind).containsExactly("rms_norm", "rms_norm_bp");
        assertThat(steps.get(0).inputs()).containsExactly("norm/rms_norm/in_0", "norm/rms_norm/in_1");
        assertThat(steps.get(0).outputs()).containsExactly("norm/rms_norm/out");
        assertThat(steps.get(1).inputs())
                .containsExactly(
                        "norm/rms_norm/in_0",
                        "norm/rms_norm/in_1",
                        gradient.getGradForVariable("norm/rms_norm/out").name());
        assertThat(steps.get(1).outputs())
                .containsExactly(
                        gradient.getGradForVariable("norm/rms_norm/in_0").name());
    }

    @Test
    void aGraphWithoutGradientHasTheForwardKernelAlone() {
        SameDiff forward = SameDiff.create();
        SDVariable x = forward.placeHolder("x", DataType.FLOAT, 3, 8);
        RmsNorm.apply(forward, "norm", x, forward.constant("w", Nd4j.ones(DataType.FLOAT, 8)), 1e-5);
        assertThat(FusedScope.steps(forward, UnaryOperator.identity(), true))
                .extracting(Step::kind)
                .containsExactly("rms_norm");
    }

    @Test
    void switchedOffTheOpsRun() {
        System.setProperty("fedlora.kernels", "off");
        assertThat(FusedScope.steps(graph, UnaryOperator.identity(), true)).isEmpty();
    }
}
