package org.fedlora4j.microbench;

import java.util.Random;
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

/** 512 rows of SmolLM2's embedding, bfloat16 as in its file, gathered and widened; by ND4J, there is no kernel for it. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init")
public class EmbeddingBenchmark {
    private static final int TOKENS = 512;
    private static final int VOCABULARY = 49_152;
    private static final int HIDDEN = 576;

    static {
        NativeRuntime.ensure();
    }

    @Param("OPS")
    public By by;

    private final NativeMemory memory = new NativeMemory();
    private Runnable gather;
    private Runnable widen;

    @Setup
    public void bind() {
        INDArray table = memory.array(DataType.BFLOAT16, VOCABULARY, HIDDEN)
                .assign(Nd4j.randn(DataType.FLOAT, VOCABULARY, HIDDEN));
        INDArray ids =
                Nd4j.createFromArray(new Random(1).ints(TOKENS, 0, VOCABULARY).toArray());
        INDArray gathered = memory.array(DataType.BFLOAT16, TOKENS, HIDDEN);
        gather = Nd4jOp.of("gather", new long[] {0}, gathered, table, ids);
        widen = Nd4jOp.of("cast", new long[] {DataType.FLOAT.toInt()}, memory.floats(TOKENS, HIDDEN), gathered);
    }

    @Benchmark
    public void embedding() {
        gather.run();
        widen.run();
    }

    @TearDown
    public void free() {
        memory.close();
    }
}
