package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.fedlora4j.model.exec.Programs.product;
import static org.fedlora4j.model.exec.Programs.sum;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** Which values share memory; that plans compute what their graphs say is LayerPlanTest's. */
class ExecutionPlanTest {
    private static final long VALUE = Arena.align(64 * 64 * Float.BYTES);

    private final Program program = Programs.of("y");

    @BeforeEach
    void inputs() {
        Programs.input(program, "x", 64, 64);
        Programs.input(program, "w", 64, 64);
    }

    @Test
    void aProductIsAddedWhereItsSummandLies() {
        forward(
                product("x", "w", "p"),
                product("x", "w", "q").plus("p", "q"),
                product("x", "w", "r").plus("q", "r"),
                sum("r", "x", "y"));
        assertThat(new ExecutionPlan(program).temporaryBytes()).isEqualTo(VALUE);
    }

    @Test
    void aSummandThatIsReadLaterKeepsItsPlace() {
        forward(product("x", "w", "p"), product("x", "w", "q").plus("p", "q"), sum("p", "q", "y"));
        assertThat(new ExecutionPlan(program).temporaryBytes()).isEqualTo(2 * VALUE);
    }

    @Test
    void aSummandThatIsMultipliedTooKeepsItsPlace() {
        forward(product("x", "w", "p"), product("p", "w", "q").plus("p", "q"), sum("q", "x", "y"));
        assertThat(new ExecutionPlan(program).temporaryBytes()).isEqualTo(2 * VALUE);
    }

    @Test
    void aSummandOfAnotherTypeKeepsItsPlace() {
        forward(product("x", "w", "p"), product("x", "w", "q").plus("p", "q"), product("q", "w", "y"));
        program.buffers.put("q", new Program.Shaped(DataType.BFLOAT16, new long[] {64, 64}));
        assertThat(new ExecutionPlan(program).temporaryBytes()).isEqualTo(VALUE + Arena.align(VALUE / 2));
    }

    @Test
    void whatTheForwardHalfKeepsIsNotOverwritten() {
        forward(product("x", "w", "p"), sum("p", "x", "y"));
        Programs.step(program, program.backward, product("x", "w", "q").plus("p", "q"), 64, 64);
        ExecutionPlan plan = new ExecutionPlan(program);
        assertThat(plan.savedBytes()).isEqualTo(VALUE);
        assertThat(plan.temporaryBytes()).isEqualTo(VALUE);
    }

    private void forward(Step... steps) {
        for (Step step : steps) {
            Programs.step(program, program.forward, step, 64, 64);
        }
    }
}
