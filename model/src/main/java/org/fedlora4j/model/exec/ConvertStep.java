package org.fedlora4j.model.exec;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A value in another type, by ND4J: rounded or widened. */
record ConvertStep(String input, String output) implements Step {
    @Override
    public String kind() {
        return "convert";
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
        return () -> results[0].assign(arguments[0]);
    }
}
