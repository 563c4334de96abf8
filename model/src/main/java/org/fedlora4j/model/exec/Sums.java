package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ops.ScalarOp;

/**
 * Makes a sum part of the step that makes one of its summands, where that step can add and nobody else reads the summand:
 * a residual, a low-rank addition, the gradients of a value that many read. So does it with a product's multiple. Each saves
 * a pass over the result.
 */
final class Sums {
    private final Program program;
    private final Map<String, Integer> reads;

    private Sums(Program program) {
        this.program = program;
        this.reads = program.reads();
    }

    static void fuse(Program program) {
        Sums sums = new Sums(program);
        sums.fuse(program.forward);
        sums.fuse(program.backward);
    }

    private void fuse(List<Step> half) {
        Map<String, Step> makers = new HashMap<>();
        half.forEach(step -> step.outputs().forEach(output -> makers.put(output, step)));
        List<Step> fused = new ArrayList<>();
        Set<Step> replaced = new HashSet<>();
        for (Step step : half) {
            Step better = step;
            for (int i = 1; i >= 0 && better == step && isSum(step); i--) {
                Step maker = makers.get(program.root(step.inputs().get(i)));
                if (maker != null && makesOnlyThis(maker, step)) {
                    better = withSum(maker, step.inputs().get(1 - i), step);
                    if (better != step) {
                        replaced.add(maker);
                    }
                }
            }
            if (step instanceof OpStep op && isScaling(op)) {
                Step maker = makers.get(program.root(step.inputs().get(0)));
                if (maker instanceof ProductStep product && product.plus() == null && makesOnlyThis(maker, step)) {
                    float scale = ((ScalarOp) op.op()).scalar().getFloat(0);
                    better = product.times(scale, step.outputs().get(0));
                    replaced.add(maker);
                }
            }
            makers.put(step.outputs().get(0), better);
            fused.add(better);
        }
        half.clear();
        fused.stream().filter(step -> !replaced.contains(step)).forEach(half::add);
    }

    private Step withSum(Step maker, String summand, Step sum) {
        String output = sum.outputs().get(0);
        if (maker instanceof ProductStep product && product.plus() == null) {
            return product.plus(summand, output);
        }
        if (maker instanceof KernelStep kernel && kernel.canAdd()) {
            return kernel.plus(summand, output);
        }
        return sum;
    }

    /** Whether what a step makes is read by another step alone, which makes something of the same shape. */
    private boolean makesOnlyThis(Step maker, Step reader) {
        String made = maker.outputs().get(0);
        return maker.outputs().size() == 1
                && !program.outputs.contains(made)
                && reads.getOrDefault(made, 0) == 1
                && Arrays.equals(shape(made), shape(reader.outputs().get(0)));
    }

    private static boolean isScaling(OpStep step) {
        return step.kind().equals("mul_scalar") && step.inputs().size() == 1;
    }

    /** A sum of matrices of the same shape; broadcasting is left to ND4J. */
    private boolean isSum(Step step) {
        if (!step.kind().equals("add") || step.inputs().size() != 2) {
            return false;
        }
        long[] shape = shape(step.outputs().get(0));
        return step.inputs().stream().allMatch(input -> Arrays.equals(shape(input), shape));
    }

    private long[] shape(String name) {
        return program.shaped(name).shape();
    }
}
