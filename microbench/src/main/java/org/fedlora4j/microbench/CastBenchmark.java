package org.fedlora4j.microbench;

import org.fedlora4j.kernels.CastKernel;
import org.fedlora4j.kernels.Numbers;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.NativeRuntime;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Rounding 512 rows of SmolLM2's feed-forward network to bfloat16. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init")
public class CastBenchmark {
    static {
        NativeRuntime.ensure();
    }

    @Param({"KERNEL", "OPS"})
    public By by;

    private final NativeMemory memory = new NativeMemory();
    private Runnable cast;

    @Setup
    public void bind() {
        INDArray from = memory.floats(512, 1_536).assign(Nd4j.randn(DataType.FLOAT, 512, 1_536));
        INDArray to = memory.array(DataType.BFLOAT16, 512, 1_536);
        if (by == By.OPS) {
            cast = Nd4jOp.of("cast", new long[] {DataType.BFLOAT16.toInt()}, to, from);
        } else {
            Numbers floats = NativeArrays.numbers(from);
            Numbers rounded = NativeArrays.numbers(to);
            cast = () -> CastKernel.run(floats, rounded);
        }
    }

    @Benchmark
    public void cast() {
        cast.run();
    }

    @TearDown
    public void free() {
        memory.close();
    }
}
