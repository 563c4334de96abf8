package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Products of frozen weights in float16, by ND4J's ops: for GPUs, whose float16 units are the fastest they have. In the
 * forward half what multiplies a weight is rounded, and the product widened. Gradients would vanish in float16's range, so in
 * the backward half it is the weight that is widened.
 */
final class HalfProducts {
    private static final String ROUNDED = "#f16";
    private static final String WIDENED = "#f32";

    private final Program program;
    private final Set<String> weights;
    private final Set<String> converted = new HashSet<>();

    private HalfProducts(Program program, Set<String> weights) {
        this.program = program;
        this.weights = weights;
    }

    /** @param weights which of the program's inputs will be bound as float16 */
    static void apply(Program program, Set<String> weights) {
        program.inputs.replaceAll(
                (name, input) -> weights.contains(name) ? new Program.Shaped(DataType.FLOAT16, input.shape()) : input);
        HalfProducts pass = new HalfProducts(program, weights);
        pass.rewrite(program.forward, false);
        pass.rewrite(program.backward, true);
    }

    private void rewrite(List<Step> half, boolean backward) {
        List<Step> steps = new ArrayList<>();
        for (Step step : half) {
            if (step.inputs().stream().noneMatch(weights::contains)) {
                steps.add(step);
            } else if (step instanceof OpStep product && step.kind().equals("matmul")) {
                add(product, backward, steps);
            } else {
                throw new IllegalStateException(step.kind() + " of a float16 weight; wanted a product");
            }
        }
        half.clear();
        half.addAll(steps);
    }

    private void add(OpStep product, boolean backward, List<Step> steps) {
        List<String> inputs = new ArrayList<>();
        for (String input : product.inputs()) {
            boolean weight = weights.contains(input);
            if (backward) {
                inputs.add(weight ? convert(input, WIDENED, DataType.FLOAT, steps) : input);
            } else {
                inputs.add(weight ? input : convert(input, ROUNDED, DataType.FLOAT16, steps));
            }
        }
        String output = product.outputs().get(0);
        if (backward) {
            steps.add(new OpStep(product.op(), inputs, product.outputs(), product.integers()));
            return;
        }
        String narrow = output + ROUNDED;
        program.buffers.put(
                narrow,
                new Program.Shaped(DataType.FLOAT16, program.shaped(output).shape()));
        steps.add(new OpStep(product.op(), inputs, List.of(narrow), product.integers()));
        steps.add(new ConvertStep(narrow, output));
    }

    /** The name of a variable's value in another type, which is made here if it is not there yet. */
    private String convert(String name, String suffix, DataType type, List<Step> steps) {
        String other = name + suffix;
        if (converted.add(other)) {
            program.buffers.put(
                    other, new Program.Shaped(type, program.shaped(name).shape()));
            steps.add(new ConvertStep(name, other));
        }
        return other;
    }
}
