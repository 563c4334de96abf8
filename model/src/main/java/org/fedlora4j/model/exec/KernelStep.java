package org.fedlora4j.model.exec;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A kernel as a step.
 *
 * @param backward whether it makes the gradients
 * @param number the scope's constant, where the kernel needs one
 */
record KernelStep(Kernel kernel, boolean backward, float number, List<String> inputs, List<String> outputs)
        implements Step {
    @Override
    public String kind() {
        return kernel.scope() + (backward ? "_bp" : "");
    }

    @Override
    public List<long[]> outputShapes(INDArray[] arguments) {
        // Each output has the shape of the input that it stands for or is the gradient of.
        return Arrays.stream(arguments)
                .limit(outputs.size())
                .map(INDArray::shape)
                .toList();
    }

    @Override
    public Runnable bind(INDArray[] arguments, INDArray[] results) {
        FloatBuffer[] buffers = Stream.of(arguments, results)
                .flatMap(Arrays::stream)
                .map(NativeArrays::buffer)
                .toArray(FloatBuffer[]::new);
        long[][] shapes = Arrays.stream(arguments).map(INDArray::shape).toArray(long[][]::new);
        return backward ? kernel.backward(buffers, shapes, number) : kernel.forward(buffers, shapes, number);
    }
}
