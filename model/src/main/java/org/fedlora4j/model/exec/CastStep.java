package org.fedlora4j.model.exec;

import java.util.List;
import org.fedlora4j.kernels.CastKernel;
import org.fedlora4j.kernels.Numbers;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Rounds float32 to bfloat16. */
record CastStep(String input, String output) implements Step {
    @Override
    public String kind() {
        return "to_bf16";
    }

    @Override
    public List<String> inputs() {
        return List.of(input);
    }

    @Override
    public List<String> outputs() {
        return List.of(output);
    }

    @Override
    public List<long[]> outputShapes(INDArray[] arguments) {
        return List.of(arguments[0].shape());
    }

    @Override
    public Runnable bind(INDArray[] arguments, INDArray[] results) {
        Numbers floats = NativeArrays.numbers(arguments[0]);
        Numbers rounded = NativeArrays.numbers(results[0]);
        return () -> CastKernel.run(floats, rounded);
    }
}
