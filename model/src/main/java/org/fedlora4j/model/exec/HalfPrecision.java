package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Lets products read bfloat16: each value that they read is rounded once, where it is made. A value that only they read is
 * never stored as float32, where the step that makes it can write bfloat16. Sums stay float32 inside a product.
 *
 * <p>Rounding what a norm makes would be the largest error of the forward half, and rounding queries and keys the next. So a
 * norm's value is written as two bfloat16, the second what rounding to the first left over, and frozen weights multiply both;
 * and queries and keys stay float32, unless the model {@linkplain Precision#isWide is so large} that this would be a third of
 * a step.
 */
final class HalfPrecision {
    private static final String ROUNDED = "#bf16";
    private static final String LOW = "#low";

    private final Program program;
    /** How often a variable is read as float32. */
    private final Map<String, Integer> otherReads = new HashMap<>();
    /** Products of a norm and a frozen weight. */
    private final Set<Step> wideProducts = new HashSet<>();
    /** What these norms make. */
    private final Set<String> wide = new HashSet<>();

    private HalfPrecision(Program program) {
        this.program = program;
    }

    /** @param bf16Inputs which of the program's inputs will be bound as bfloat16 */
    static void apply(Program program, Set<String> bf16Inputs) {
        program.inputs.replaceAll((name, input) ->
                bf16Inputs.contains(name) ? new Program.Shaped(DataType.BFLOAT16, input.shape()) : input);
        HalfPrecision pass = new HalfPrecision(program);
        pass.countOtherReads();
        pass.findWide(bf16Inputs);
        pass.rewrite(program.forward);
        pass.rewrite(program.backward);
    }

    private void countOtherReads() {
        for (Step step : program.steps()) {
            Set<Integer> halves = bf16Inputs(step);
            for (int i = 0; i < step.inputs().size(); i++) {
                if (!halves.contains(i)) {
                    otherReads.merge(program.root(step.inputs().get(i)), 1, Integer::sum);
                }
            }
        }
        program.outputs.forEach(output -> otherReads.merge(output, 1, Integer::sum));
    }

    private void findWide(Set<String> frozen) {
        Set<String> norms = new HashSet<>();
        for (Step step : program.forward) {
            if (step instanceof KernelStep norm
                    && norm.kernel() == Kernel.RMS_NORM
                    && !otherReads.containsKey(norm.outputs().get(0))) {
                norms.addAll(norm.outputs());
            }
            if (step instanceof ProductStep product
                    && norms.contains(program.root(product.left()))
                    && frozen.contains(product.right())
                    && isWide(product.left())) {
                wideProducts.add(product);
                wide.add(program.root(product.left()));
            }
        }
    }

    /** The inputs that a step reads as bfloat16, in order. */
    private Set<Integer> bf16Inputs(Step step) {
        Set<Integer> inputs = new TreeSet<>(step.bf16Inputs());
        // By the queries' width alone: keys that many heads share are narrower, and have the queries' type.
        if (!step.bf16InputsOfLarge().isEmpty() && !isWide(step.inputs().get(0))) {
            inputs.addAll(step.bf16InputsOfLarge());
        }
        return inputs;
    }

    private boolean isWide(String name) {
        return Precision.BF16.isWide(program.shaped(name).shape()[1]);
    }

    private void rewrite(List<Step> half) {
        List<Step> steps = new ArrayList<>();
        for (Step step : half) {
            Step reading = step;
            if (step instanceof KernelStep norm && wide.contains(norm.outputs().get(0))) {
                String output = norm.outputs().get(0);
                program.buffers.put(output + LOW, program.buffer(output));
                reading = norm.withOutputs(List.of(output, output + LOW));
            } else if (step instanceof ProductStep product && wideProducts.contains(product)) {
                reading = new WideProductStep(product, shown(product.left(), LOW));
            }
            for (int input : bf16Inputs(step)) {
                String name = step.inputs().get(input);
                if (!isBf16(name)) {
                    reading = reading.withInput(input, rounded(name, steps));
                }
            }
            steps.add(reading);
            for (String output : reading.outputs()) {
                if (reading.canWriteBf16() && !otherReads.containsKey(output)) {
                    program.buffers.put(
                            output,
                            new Program.Shaped(
                                    DataType.BFLOAT16, program.shaped(output).shape()));
                }
            }
        }
        half.clear();
        half.addAll(steps);
    }

    /** The name of a variable's rounded value, which is made here if it is not there yet. */
    private String rounded(String name, List<Step> steps) {
        String root = program.root(name);
        String half = root + ROUNDED;
        if (!program.buffers.containsKey(half)) {
            program.buffers.put(
                    half,
                    new Program.Shaped(DataType.BFLOAT16, program.shaped(root).shape()));
            steps.add(new CastStep(root, half));
        }
        return shown(name, ROUNDED);
    }

    /** The name of another form of a variable, seen with the variable's shape. */
    private String shown(String name, String form) {
        if (program.views.containsKey(name)) {
            program.views.put(
                    name + form,
                    new Program.View(
                            program.root(name) + form, program.shaped(name).shape()));
        }
        return name + form;
    }

    private boolean isBf16(String name) {
        return program.shaped(name).type() == DataType.BFLOAT16;
    }
}
