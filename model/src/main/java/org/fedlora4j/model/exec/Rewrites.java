package org.fedlora4j.model.exec;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.MulOp;

/**
 * Replaces a backward op of which only one gradient is wanted by the op that makes just that one. SameDiff differentiates
 * an op for all its inputs, so a frozen weight would otherwise get a gradient that nobody reads. Results are identical.
 */
final class Rewrites {
    private Rewrites() {}

    /**
     * The cheaper step, or the same one.
     *
     * @param needed whether anybody reads a variable
     * @param shape the shape of a variable
     */
    static Step apply(Step step, Predicate<String> needed, Function<String, long[]> shape) {
        if (step.outputs().size() != 2) {
            return step;
        }
        boolean first = needed.test(step.outputs().get(0));
        boolean second = needed.test(step.outputs().get(1));
        if (first == second) {
            return step;
        }
        Step cheaper = switch (step.op().opName()) {
            case "matmul_bp" -> matmul(step, first, shape);
            case "multiply_bp" -> multiply(step, first, shape);
            default -> null;
        };
        return cheaper == null ? step : cheaper;
    }

    /** For z = x·y or x·yᵀ: dx = dz·yᵀ or dz·y; dy = xᵀ·dz or dzᵀ·x (matrices only). */
    private static @Nullable Step matmul(Step step, boolean first, Function<String, long[]> shape) {
        String x = step.inputs().get(0);
        String y = step.inputs().get(1);
        String dz = step.inputs().get(2);
        long[] transposed = ((CustomOp) step.op()).iArgs();
        boolean yTransposed = transposed[1] != 0;
        if (transposed[0] != 0 || transposed[2] != 0) {
            return null;
        }
        if (first) {
            return new Step(
                    new Mmul(), List.of(dz, y), step.outputs().subList(0, 1), new long[] {0, yTransposed ? 0 : 1, 0});
        }
        if (shape.apply(x).length != 2) {
            return null;
        }
        return new Step(
                new Mmul(),
                yTransposed ? List.of(dz, x) : List.of(x, dz),
                step.outputs().subList(1, 2),
                new long[] {1, 0, 0});
    }

    /** For z = x ⊙ y: dx = dz ⊙ y, where x was not broadcast. */
    private static @Nullable Step multiply(Step step, boolean first, Function<String, long[]> shape) {
        int wanted = first ? 0 : 1;
        String dz = step.inputs().get(2);
        if (!Arrays.equals(shape.apply(step.inputs().get(wanted)), shape.apply(dz))) {
            return null;
        }
        return new Step(
                new MulOp(),
                List.of(dz, step.inputs().get(1 - wanted)),
                step.outputs().subList(wanted, wanted + 1));
    }
}
