package org.fedlora4j.microbench;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.factory.Nd4j;

/** An op of ND4J on arrays, to be run any number of times. */
final class Nd4jOp {
    private Nd4jOp() {}

    static Runnable of(String name, long[] integers, INDArray output, INDArray... inputs) {
        DynamicCustomOp op = DynamicCustomOp.builder(name).build();
        OpContext context = Nd4j.getExecutioner().buildContext();
        context.setArgs(inputs, integers, null, null, null);
        context.setOutputArray(0, output);
        return () -> Nd4j.getExecutioner().exec(op, context);
    }
}
