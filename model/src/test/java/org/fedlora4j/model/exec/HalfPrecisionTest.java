package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.fedlora4j.model.exec.Programs.attention;
import static org.fedlora4j.model.exec.Programs.norm;
import static org.fedlora4j.model.exec.Programs.normGradient;
import static org.fedlora4j.model.exec.Programs.product;
import static org.fedlora4j.model.exec.Programs.rope;
import static org.fedlora4j.model.exec.Programs.sum;
import static org.fedlora4j.model.exec.Programs.swiGlu;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;

/** What is rounded to bfloat16 and where; that the results are close is LayerPlanTest's. */
class HalfPrecisionTest {
    private final Program program = Programs.of("y");

    @BeforeEach
    void inputs() {
        Programs.input(program, "x", 6, 4);
        Programs.input(program, "w", 4, 4);
        Programs.input(program, "row", 4);
    }

    @Test
    void aValueIsRoundedOnceForAllProductsOfBothHalves() {
        forward(product("x", "w", "p"), product("x", "w", "y"));
        backward(product("x", "w", "z"));
        apply();
        assertThat(program.forward)
                .isEqualTo(
                        List.of(new CastStep("x", "x#bf16"), product("x#bf16", "w", "p"), product("x#bf16", "w", "y")));
        assertThat(program.backward).isEqualTo(List.of(product("x#bf16", "w", "z")));
        assertBf16("w", "x#bf16");
        assertFloat("x", "y");
    }

    @Test
    void whatIsBoundAsFloatIsRounded() {
        forward(product("x", "w", "y"));
        HalfPrecision.apply(program, Set.of());
        assertThat(program.forward)
                .isEqualTo(List.of(
                        new CastStep("x", "x#bf16"), new CastStep("w", "w#bf16"), product("x#bf16", "w#bf16", "y")));
        assertFloat("w");
    }

    @Test
    void whatOnlyProductsReadIsWrittenAsBf16() {
        forward(product("x", "w", "p"), swiGlu("p", "p", "s"), product("s", "w", "y"));
        backward(product("s", "w", "z"));
        apply();
        assertThat(program.forward)
                .isEqualTo(List.of(
                        new CastStep("x", "x#bf16"),
                        product("x#bf16", "w", "p"),
                        swiGlu("p", "p", "s"),
                        product("s", "w", "y")));
        assertBf16("s");
        assertFloat("p", "y");
    }

    @Test
    void whatIsAlsoReadAsFloatIsWrittenAsFloat() {
        Step last = sum("s", "p", "y");
        forward(swiGlu("x", "x", "s"), product("s", "w", "p"), last);
        apply();
        assertThat(program.forward)
                .isEqualTo(
                        List.of(swiGlu("x", "x", "s"), new CastStep("s", "s#bf16"), product("s#bf16", "w", "p"), last));
        assertBf16("s#bf16");
        assertFloat("s", "p");
    }

    @Test
    void whatIsReadAsFloatInTheBackwardHalfIsWrittenAsFloat() {
        forward(swiGlu("x", "x", "s"), product("s", "w", "y"));
        backward(sum("s", "x", "z"));
        apply();
        assertFloat("s");
        assertBf16("s#bf16");
    }

    @Test
    void whatAProductAddsStaysFloat() {
        ProductStep added = product("x", "w", "y").plus("p", "y");
        forward(product("x", "w", "p"), added);
        apply();
        assertThat(program.forward)
                .isEqualTo(List.of(
                        new CastStep("x", "x#bf16"),
                        product("x#bf16", "w", "p"),
                        product("x#bf16", "w", "y").plus("p", "y")));
        assertFloat("p");
    }

    @Test
    void anOutputIsFloatAndRoundedWhereAProductReadsIt() {
        Step last = sum("q", "x", "z");
        forward(product("x", "w", "y"), product("y", "w", "q"), last);
        apply();
        assertThat(program.forward)
                .isEqualTo(List.of(
                        new CastStep("x", "x#bf16"),
                        product("x#bf16", "w", "y"),
                        new CastStep("y", "y#bf16"),
                        product("y#bf16", "w", "q"),
                        last));
        assertFloat("y", "q");
    }

    @Test
    void whatAStepCantWriteAsBf16IsRounded() {
        Step sum = sum("x", "x", "s");
        forward(sum, product("s", "w", "y"));
        backward(normGradient("x", "row", "x", "g"), product("g", "w", "z"));
        apply();
        assertThat(program.forward).isEqualTo(List.of(sum, new CastStep("s", "s#bf16"), product("s#bf16", "w", "y")));
        assertThat(program.backward)
                .isEqualTo(List.of(
                        normGradient("x", "row", "x", "g"), new CastStep("g", "g#bf16"), product("g#bf16", "w", "z")));
        assertFloat("s", "g");
    }

    @Test
    void frozenWeightsMultiplyBothPartsOfANorm() {
        program.views.put("same", new Program.View("n", new long[] {6, 4}));
        ProductStep added = product("n", "w", "q").plus("p", "q");
        ProductStep adapted = product("n", "x", "y");
        forward(norm("x", "row", "n"), product("same", "w", "p"), added, adapted);
        backward(product("n", "w", "z"));
        apply();
        assertThat(program.forward)
                .isEqualTo(List.of(
                        norm("x", "row", "n").withOutputs(List.of("n", "n#low")),
                        new WideProductStep(product("same", "w", "p"), "same#low"),
                        new WideProductStep(added, "n#low"),
                        new CastStep("x", "x#bf16"),
                        adapted.withInput(1, "x#bf16")));
        assertThat(program.backward).isEqualTo(List.of(product("n", "w", "z")));
        assertThat(program.root("same#low")).isEqualTo("n#low");
        assertBf16("n", "n#low", "same", "same#low");
        assertFloat("p", "q");
    }

    @Test
    void aNormThatIsReadAsFloatIsRoundedOnce() {
        Step last = sum("n", "p", "y");
        forward(norm("x", "row", "n"), product("n", "w", "p"), last);
        apply();
        assertThat(program.forward)
                .isEqualTo(
                        List.of(norm("x", "row", "n"), new CastStep("n", "n#bf16"), product("n#bf16", "w", "p"), last));
    }

    @Test
    void aViewShowsTheRoundedValue() {
        program.views.put("turned", new Program.View("x", new long[] {3, 8}));
        program.views.put("same", new Program.View("s", new long[] {6, 4}));
        forward(product("x", "w", "p"), product("turned", "w", "q"), swiGlu("p", "q", "s"), product("same", "w", "y"));
        apply();
        assertThat(program.forward)
                .isEqualTo(List.of(
                        new CastStep("x", "x#bf16"),
                        product("x#bf16", "w", "p"),
                        product("turned#bf16", "w", "q"),
                        swiGlu("p", "q", "s"),
                        product("same", "w", "y")));
        assertThat(program.root("turned#bf16")).isEqualTo("x#bf16");
        assertThat(program.shaped("turned#bf16").shape()).containsExactly(3, 8);
        assertBf16("turned#bf16", "s", "same");
    }

    @Test
    void queriesAndKeysStayFloatInASmallModel() {
        KernelStep attention = attention("q", "k", "x", "y");
        forward(rope("x", "q"), rope("x", "k"), attention);
        apply();
        assertThat(program.forward)
                .isEqualTo(List.of(
                        rope("x", "q"), rope("x", "k"), new CastStep("x", "x#bf16"), attention.withInput(2, "x#bf16")));
        assertFloat("q", "k");
    }

    @Test
    void queriesAndKeysAreRoundedInALargeModel() {
        Programs.input(program, "v", 6, 2048);
        KernelStep attention = attention("q", "k", "v", "y");
        for (Step step : List.of(rope("v", "q"), rope("v", "k"), attention)) {
            Programs.step(program, program.forward, step, 6, 2048);
        }
        apply();
        assertThat(program.forward)
                .isEqualTo(List.of(
                        rope("v", "q"), rope("v", "k"), new CastStep("v", "v#bf16"), attention.withInput(2, "v#bf16")));
        assertBf16("q", "k");
    }

    @Test
    void keysThatManyQueriesShareAreRoundedWithThem() {
        Programs.input(program, "wide", 6, 2048);
        Programs.input(program, "narrow", 6, 256);
        Programs.step(program, program.forward, rope("wide", "q"), 6, 2048);
        Programs.step(program, program.forward, rope("narrow", "k"), 6, 256);
        Programs.step(program, program.forward, attention("q", "k", "narrow", "y"), 6, 2048);
        apply();
        assertBf16("q", "k");
    }

    private void forward(Step... steps) {
        for (Step step : steps) {
            Programs.step(program, program.forward, step, 6, 4);
        }
    }

    private void backward(Step... steps) {
        for (Step step : steps) {
            Programs.step(program, program.backward, step, 6, 4);
        }
    }

    private void apply() {
        HalfPrecision.apply(program, Set.of("w"));
    }

    private void assertBf16(String... names) {
        assertThat(names).allMatch(name -> program.shaped(name).type() == DataType.BFLOAT16);
    }

    private void assertFloat(String... names) {
        assertThat(names).allMatch(name -> program.shaped(name).type() == DataType.FLOAT);
    }
}
