package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A kernel as a step.
 *
 * @param backward whether it makes the gradients
 * @param adds whether the last input is added to the output
 * @param number the scope's constant, where the kernel needs one
 */
record KernelStep(
        Kernel kernel, boolean backward, boolean adds, float number, List<String> inputs, List<String> outputs)
        implements Step {
    @Override
    public String kind() {
        return kernel.scope() + (backward ? "_bp" : "");
    }

    /** Whether it can add a further input to its output. */
    boolean canAdd() {
        return kernel.adds(backward) && !adds;
    }

    /** The step with a summand. */
    KernelStep plus(String summand, String sum) {
        List<String> all = Stream.concat(inputs.stream(), Stream.of(summand)).toList();
        return new KernelStep(kernel, backward, true, number, all, List.of(sum));
    }

    /** The step with other outputs. */
    KernelStep withOutputs(List<String> names) {
        return new KernelStep(kernel, backward, adds, number, inputs, names);
    }

    @Override
    public Set<Integer> bf16Inputs() {
        return kernel.bf16Inputs(backward).stream()
                .filter(input -> input < inputs.size())
                .collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public Set<Integer> bf16InputsOfLarge() {
        return kernel.bf16InputsOfLarge();
    }

    @Override
    public boolean canWriteBf16() {
        return kernel.writesBf16(backward);
    }

    @Override
    public Step withInput(int index, String name) {
        List<String> changed = new ArrayList<>(inputs);
        changed.set(index, name);
        return new KernelStep(kernel, backward, adds, number, changed, outputs);
    }

    @Override
    public List<long[]> outputShapes(INDArray[] arguments) {
        // Each output has the shape of the input that it stands for or is the gradient of.
        int like = backward ? kernel.gradients() : 1;
        Stream<long[]> shapes = Arrays.stream(arguments).limit(like).map(INDArray::shape);
        List<long[]> others = List.of();
        if (backward) {
            others = kernel.backwardSpace(arguments);
        } else if (outputs.size() > 1) {
            others = List.of(new long[] {kernel.keptElements(arguments, number)});
        }
        return Stream.concat(shapes, others.stream()).toList();
    }

    @Override
    public Runnable bind(INDArray[] arguments, INDArray[] results) {
        INDArray[] all = Stream.of(arguments, results).flatMap(Arrays::stream).toArray(INDArray[]::new);
        return backward ? kernel.backward(all, number) : kernel.forward(all, number);
    }
}
