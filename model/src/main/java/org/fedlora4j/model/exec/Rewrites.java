package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.MulOp;

/**
 * Replaces a backward op by ops that make the wanted gradients and no other, and faster. SameDiff differentiates an op for
 * all its inputs, so a frozen weight would otherwise get a gradient that nobody reads.
 */
final class Rewrites {
    private Rewrites() {}

    /**
     * The cheaper steps, in order, or the same one.
     *
     * @param needed whether anybody reads a variable
     * @param shape the shape of a variable
     */
    static List<? extends Step> apply(Step step, Predicate<String> needed, Function<String, long[]> shape) {
        if (!(step instanceof OpStep op)) {
            return List.of(step);
        }
        List<OpStep> cheaper = switch (op.kind()) {
            case "matmul_bp" -> matmul(op, needed);
            case "multiply_bp" -> multiply(op, needed, shape);
            default -> List.of(op);
        };
        return cheaper.stream().map(one -> product(one, shape)).toList();
    }

    /** A product of two matrices is oneDNN's, where it can be. */
    private static Step product(OpStep step, Function<String, long[]> shape) {
        if (!step.kind().equals("matmul")
                || !ProductStep.available()
                || step.inputs().stream().anyMatch(input -> shape.apply(input).length != 2)) {
            return step;
        }
        long[] transposed = step.integers() != null ? step.integers() : ((CustomOp) step.op()).iArgs();
        if (transposed.length > 2 && transposed[2] != 0) {
            return step;
        }
        return new ProductStep(
                step.inputs().get(0),
                step.inputs().get(1),
                transposed.length > 0 && transposed[0] != 0,
                transposed.length > 1 && transposed[1] != 0,
                1,
                null,
                step.outputs().get(0));
    }

    /** For z = x·y or x·yᵀ: dx = dz·yᵀ or dz·y; dy = xᵀ·dz or dzᵀ·x. */
    private static List<OpStep> matmul(OpStep step, Predicate<String> needed) {
        String x = step.inputs().get(0);
        String y = step.inputs().get(1);
        String dz = step.inputs().get(2);
        long[] transposed = ((CustomOp) step.op()).iArgs();
        boolean yTransposed = transposed[1] != 0;
        if (transposed[0] != 0 || transposed[2] != 0) {
            return List.of(step);
        }
        List<OpStep> products = new ArrayList<>();
        if (needed.test(step.outputs().get(0))) {
            long[] byY = {0, yTransposed ? 0 : 1, 0};
            products.add(new OpStep(new Mmul(), List.of(dz, y), step.outputs().subList(0, 1), byY));
        }
        if (needed.test(step.outputs().get(1))) {
            List<String> factors = yTransposed ? List.of(dz, x) : List.of(x, dz);
            products.add(new OpStep(new Mmul(), factors, step.outputs().subList(1, 2), new long[] {1, 0, 0}));
        }
        return products;
    }

    /** For z = x ⊙ y of which one is wanted: dx = dz ⊙ y, where x was not broadcast. */
    private static List<OpStep> multiply(OpStep step, Predicate<String> needed, Function<String, long[]> shape) {
        boolean first = needed.test(step.outputs().get(0));
        if (first == needed.test(step.outputs().get(1))) {
            return List.of(step);
        }
        int wanted = first ? 0 : 1;
        String dz = step.inputs().get(2);
        if (!Arrays.equals(shape.apply(step.inputs().get(wanted)), shape.apply(dz))) {
            return List.of(step);
        }
        return List.of(new OpStep(
                new MulOp(),
                List.of(dz, step.inputs().get(1 - wanted)),
                step.outputs().subList(wanted, wanted + 1)));
    }
}
