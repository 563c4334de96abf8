package org.fedlora4j.model.exec;

import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.List;
import org.fedlora4j.kernels.CastKernel;
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
        FloatBuffer floats = NativeArrays.buffer(arguments[0]);
        ShortBuffer rounded = NativeArrays.halves(results[0]);
        return () -> CastKernel.toBf16(floats, rounded, floats.capacity());
    }
}
