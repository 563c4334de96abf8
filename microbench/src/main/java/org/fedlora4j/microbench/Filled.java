package org.fedlora4j.microbench;

import org.fedlora4j.model.exec.NativeMemory;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What benchmarks compute with: arrays of numbers from a normal distribution, small enough to be summed up often. */
final class Filled {
    private Filled() {}

    static INDArray array(NativeMemory memory, boolean bf16, long... shape) {
        return memory.array(bf16 ? DataType.BFLOAT16 : DataType.FLOAT, shape)
                .assign(Nd4j.randn(DataType.FLOAT, shape).mul(0.1));
    }
}
