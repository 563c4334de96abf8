package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.fedlora4j.model.exec.Programs.norm;
import static org.fedlora4j.model.exec.Programs.product;
import static org.fedlora4j.model.exec.Programs.sum;
import static org.fedlora4j.model.exec.Programs.swiGlu;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** Which activations become one step with their products; that the results are right is LayerPlanTest's. */
class GatesTest {
    private final Program program = Programs.of("y");

    @BeforeEach
    void inputs() {
        Programs.input(program, "x", 6, 4);
        Programs.input(program, "v", 4, 4);
        Programs.input(program, "w", 4, 4);
        Programs.input(program, "row", 4);
    }

    @Test
    void anActivationAndItsProductsAreOneStep() {
        forward(product("x", "v", "g"), product("x", "w", "u"), swiGlu("g", "u", "y"));
        Gates.fuse(program);
        assertThat(program.forward).isEqualTo(List.of(new GatedStep("x", null, "v", "w", List.of("y"))));
    }

    @Test
    void productsThatTheGradientReadsAreKept() {
        forward(product("x", "v", "g"), product("x", "w", "u"), swiGlu("g", "u", "y"));
        Step gradient = sum("g", "u", "z");
        Programs.step(program, program.backward, gradient, 6, 4);
        Gates.fuse(program);
        assertThat(program.forward).isEqualTo(List.of(new GatedStep("x", null, "v", "w", List.of("y", "g", "u"))));
        assertThat(program.shaped("g").type()).isEqualTo(DataType.FLOAT);
    }

    @Test
    void bothPartsOfANormAreReadAndProductsAreKeptInBf16() {
        forward(norm("x", "row", "n"), product("n", "v", "g"), product("n", "w", "u"), swiGlu("g", "u", "y"));
        Programs.step(program, program.backward, swiGlu("g", "u", "z"), 6, 4);
        HalfPrecision.apply(program, Set.of("v", "w"));
        Gates.fuse(program);
        assertThat(program.forward.get(1)).isEqualTo(new GatedStep("n", "n#low", "v", "w", List.of("y", "g", "u")));
        assertThat(program.shaped("g").type()).isEqualTo(DataType.BFLOAT16);
        assertThat(program.shaped("u").type()).isEqualTo(DataType.BFLOAT16);
    }

    @Test
    void whatElseIsReadOrAddedStaysAsItIs() {
        unchanged(product("x", "v", "g"), product("x", "w", "u").plus("x", "u"), swiGlu("g", "u", "y"));
        unchanged(product("x", "v", "g"), product("x", "w", "u").times(2, "u"), swiGlu("g", "u", "y"));
        unchanged(product("x", "v", "g"), product("v", "w", "u"), swiGlu("g", "u", "y"));
        unchanged(product("x", "v", "g"), product("x", "w", "y"), swiGlu("g", "y", "s"));
        unchanged(product("x", "v", "g"), product("x", "w", "u"), swiGlu("g", "u", "y"), sum("g", "y", "z"));
        unchanged(product("x", "v", "g"), swiGlu("g", "x", "y"));
    }

    private void unchanged(Step... steps) {
        program.forward.clear();
        forward(steps);
        Gates.fuse(program);
        assertThat(program.forward).containsExactly(steps);
    }

    private void forward(Step... steps) {
        for (Step step : steps) {
            Programs.step(program, program.forward, step, 6, 4);
        }
    }
}
