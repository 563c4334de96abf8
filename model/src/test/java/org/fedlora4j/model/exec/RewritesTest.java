package org.fedlora4j.model.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/** Every rule against the op that it replaces, and every op that no rule fits. */
class RewritesTest {
    static {
        NativeRuntime.ensure();
    }

    private final Random random = new Random(3);
    private final Map<String, INDArray> arrays = new HashMap<>();

    @Test
    void productOfMatrices() {
        put(array(5, 4), array(4, 3), array(5, 3));
        checkRewritten(matmul(0, 0, 0), "dx");
        checkRewritten(matmul(0, 0, 0), "dy");
    }

    @Test
    void productWithATransposedMatrix() {
        put(array(5, 4), array(3, 4), array(5, 3));
        checkRewritten(matmul(0, 1, 0), "dx");
        checkRewritten(matmul(0, 1, 0), "dy");
    }

    @Test
    void productsOfManyMatrices() {
        put(array(2, 3, 5, 4), array(2, 3, 6, 4), array(2, 3, 5, 6));
        checkRewritten(matmul(0, 1, 0), "dx");
        checkRewritten(matmul(0, 1, 0), "dy");
        checkRewritten(matmul(0, 1, 0), "dx", "dy");
        put(array(2, 3, 5, 4), array(2, 3, 4, 6), array(2, 3, 5, 6));
        checkRewritten(matmul(0, 0, 0), "dx", "dy");
    }

    /** Large enough for calls of their own. */
    @Test
    void productsOfManyLargeMatrices() {
        put(array(2, 2, 70, 64), array(2, 2, 80, 64), array(2, 2, 70, 80));
        checkRewritten(matmul(0, 1, 0), "dx", "dy");
    }

    @Test
    void otherTranspositionsStay() {
        put(array(4, 5), array(4, 3), array(5, 3));
        checkUnchanged(matmul(1, 0, 0), Set.of("dx"));
        checkUnchanged(matmul(0, 0, 1), Set.of("dy"));
    }

    @Test
    void elementwiseProduct() {
        put(array(5, 4), array(5, 4), array(5, 4));
        checkRewritten(multiply(), "dx");
        checkRewritten(multiply(), "dy");
    }

    @Test
    void elementwiseProductWithABroadcastFactor() {
        put(array(5, 4), array(4), array(5, 4));
        checkRewritten(multiply(), "dx");
        checkUnchanged(multiply(), Set.of("dy"));

        put(array(5, 1), array(5, 4), array(5, 4));
        checkUnchanged(multiply(), Set.of("dx"));
        checkRewritten(multiply(), "dy");
    }

    @Test
    void opsWhoseOutputsAreAllWantedStay() {
        put(array(5, 4), array(5, 4), array(5, 4));
        checkUnchanged(multiply(), Set.of("dx", "dy"));
        checkUnchanged(step("add_bp"), Set.of("dx"));
    }

    private void checkRewritten(Step step, String... wanted) {
        List<? extends Step> cheaper = rewrite(step, Set.of(wanted));
        Map<String, INDArray> reference = run(step);
        assertThat(cheaper).hasSameSizeAs(wanted);
        for (int i = 0; i < wanted.length; i++) {
            assertThat(cheaper.get(i).kind()).isNotEqualTo(step.kind());
            assertThat(cheaper.get(i).outputs()).containsExactly(wanted[i]);
            INDArray found = get(run(cheaper.get(i)), wanted[i]);
            INDArray expected = get(reference, wanted[i]);
            assertThat(found.shape()).isEqualTo(expected.shape());
            float largest = expected.amaxNumber().floatValue();
            assertThat(largest).isPositive();
            assertThat(found.ravel().toFloatVector())
                    .containsExactly(expected.ravel().toFloatVector(), within(1e-6f * largest));
        }
    }

    private void checkUnchanged(Step step, Set<String> wanted) {
        assertThat(rewrite(step, wanted)).isEqualTo(List.of(step));
    }

    private List<? extends Step> rewrite(Step step, Set<String> wanted) {
        return Rewrites.apply(step, wanted::contains, name -> get(arrays, name).shape());
    }

    private Map<String, INDArray> run(Step step) {
        INDArray[] arguments = step.inputs().stream().map(arrays::get).toArray(INDArray[]::new);
        List<long[]> shapes = step.outputShapes(arguments);
        Map<String, INDArray> outputs = new HashMap<>();
        INDArray[] results = new INDArray[shapes.size()];
        for (int i = 0; i < results.length; i++) {
            results[i] = Nd4j.valueArrayOf(shapes.get(i), Float.NaN, DataType.FLOAT);
            outputs.put(step.outputs().get(i), results[i]);
        }
        step.bind(arguments, results).run();
        return outputs;
    }

    private static Step matmul(int... transposed) {
        return new OpStep(
                DynamicCustomOp.builder("matmul_bp")
                        .addIntegerArguments(transposed)
                        .build(),
                List.of("x", "y", "dz"),
                List.of("dx", "dy"));
    }

    private static Step multiply() {
        return step("multiply_bp");
    }

    private static Step step(String op) {
        return new OpStep(DynamicCustomOp.builder(op).build(), List.of("x", "y", "dz"), List.of("dx", "dy"));
    }

    private void put(INDArray x, INDArray y, INDArray dz) {
        arrays.put("x", x);
        arrays.put("y", y);
        arrays.put("dz", dz);
    }

    private static INDArray get(Map<String, INDArray> arrays, String name) {
        return Objects.requireNonNull(arrays.get(name), name);
    }

    private INDArray array(long... shape) {
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, random.nextGaussian());
        }
        return array;
    }
}
