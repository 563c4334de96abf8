package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.fedlora4j.model.exec.Programs.multiple;
import static org.fedlora4j.model.exec.Programs.normGradient;
import static org.fedlora4j.model.exec.Programs.product;
import static org.fedlora4j.model.exec.Programs.sum;
import static org.fedlora4j.model.exec.Programs.swiGlu;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When a sum becomes part of a step, and when it must not; that the result is the same is LayerPlanTest's. */
class SumsTest {
    private final Program program = Programs.of("y");
    private final ProductStep product = product("x", "w", "p");

    @BeforeEach
    void inputs() {
        Programs.input(program, "x", 6, 4);
        Programs.input(program, "w", 4, 4);
        Programs.input(program, "c", 6, 4);
        Programs.input(program, "row", 4);
    }

    @Test
    void aProductAddsWhatItIsAddedTo() {
        forward(product, sum("p", "c", "y"));
        assertFused(product.plus("c", "y"));
    }

    @Test
    void aProductAddsWhatIsAddedToIt() {
        forward(product, sum("c", "p", "y"));
        assertFused(product.plus("c", "y"));
    }

    @Test
    void ofTwoProductsOneAddsTheOther() {
        ProductStep other = product("c", "w", "q");
        forward(other, product, sum("p", "q", "y"));
        assertFused(product, other.plus("p", "y"));
    }

    /** Each product adds one thing; the second sum is added by the product that makes the second summand. */
    @Test
    void aSumOfManyIsAddedUpProductByProduct() {
        ProductStep other = product("c", "w", "q");
        forward(product, other, sum("p", "c", "s"), sum("s", "q", "y"));
        assertFused(product.plus("c", "s"), other.plus("s", "y"));
    }

    @Test
    void aProductThatAddsAlreadyAddsNothingElse() {
        Step last = sum("s", "c", "y");
        forward(product, sum("p", "c", "s"), last);
        assertFused(product.plus("c", "s"), last);
    }

    @Test
    void aProductsMultipleIsPartOfIt() {
        forward(product, multiple("p", 0.25, "s"), sum("c", "s", "y"));
        assertFused(product.times(0.25f, "s").plus("c", "y"));
    }

    @Test
    void aMultipleOfASumStays() {
        Step last = multiple("s", 0.25, "y");
        forward(product, sum("p", "c", "s"), last);
        assertFused(product.plus("c", "s"), last);
    }

    @Test
    void aMultipleOfWhatIsReadElsewhereStays() {
        assertUnchanged(product, multiple("p", 0.25, "s"), swiGlu("s", "p", "y"));
    }

    @Test
    void aMultipleOfAnOutputStays() {
        assertUnchanged(product("x", "w", "y"), multiple("y", 0.25, "q"));
    }

    @Test
    void aNormsGradientAddsOneThing() {
        KernelStep norm = normGradient("x", "row", "c", "g");
        Step last = sum("s", "x", "y");
        forward(norm, sum("c", "g", "s"), last);
        KernelStep fused = norm.plus("c", "s");
        assertThat(fused.inputs()).containsExactly("x", "row", "c", "c");
        assertFused(fused, last);
    }

    @Test
    void aKernelThatCantAddStays() {
        assertUnchanged(swiGlu("x", "c", "g"), sum("g", "c", "y"));
    }

    @Test
    void aSummandReadElsewhereStays() {
        assertUnchanged(product, sum("p", "c", "s"), swiGlu("s", "p", "y"));
    }

    @Test
    void aSummandReadInTheBackwardHalfStays() {
        Programs.step(program, program.backward, swiGlu("p", "c", "z"), 6, 4);
        assertUnchanged(product, sum("p", "c", "y"));
    }

    @Test
    void aSummandAddedToItselfStays() {
        assertUnchanged(product, sum("p", "p", "y"));
    }

    @Test
    void aSummandThatIsAnOutputStays() {
        assertUnchanged(product("x", "w", "y"), sum("y", "c", "s"));
    }

    @Test
    void aBroadcastSummandStays() {
        assertUnchanged(product, sum("p", "row", "y"));
        assertThat(program.forward.get(1).inputs()).containsExactly("p", "row");
    }

    @Test
    void aSumOfAnotherShapeThanTheProductsStays() {
        program.views.put("p_by_text", new Program.View("p", new long[] {2, 3, 4}));
        program.views.put("c_by_text", new Program.View("c", new long[] {2, 3, 4}));
        Step sum = sum("p_by_text", "c_by_text", "y");
        Programs.step(program, program.forward, product, 6, 4);
        Programs.step(program, program.forward, sum, 2, 3, 4);
        Sums.fuse(program);
        assertFusedAlready(product, sum);
    }

    @Test
    void aMultipleOfAnotherShapeThanTheProductsStays() {
        program.views.put("wide", new Program.View("p", new long[] {3, 8}));
        Step multiple = multiple("wide", 0.25, "y");
        Programs.step(program, program.forward, product, 6, 4);
        Programs.step(program, program.forward, multiple, 3, 8);
        Sums.fuse(program);
        assertFusedAlready(product, multiple);
    }

    @Test
    void aViewOfTheProductsOwnShapeIsAdded() {
        program.views.put("same", new Program.View("p", new long[] {6, 4}));
        forward(product, sum("same", "c", "y"));
        assertFused(product.plus("c", "y"));
    }

    @Test
    void aSummandOfTheOtherHalfStays() {
        Step sum = sum("p", "c", "y");
        Programs.step(program, program.forward, product, 6, 4);
        Programs.step(program, program.backward, sum, 6, 4);
        Sums.fuse(program);
        assertFusedAlready(product);
        assertThat(program.backward).containsExactly(sum);
    }

    private void forward(Step... steps) {
        for (Step step : steps) {
            Programs.step(program, program.forward, step, 6, 4);
        }
    }

    private void assertFused(Step... wanted) {
        Sums.fuse(program);
        assertFusedAlready(wanted);
    }

    private void assertFusedAlready(Step... wanted) {
        assertThat(program.forward).isEqualTo(List.of(wanted));
    }

    private void assertUnchanged(Step... steps) {
        forward(steps);
        assertFused(steps);
    }
}
