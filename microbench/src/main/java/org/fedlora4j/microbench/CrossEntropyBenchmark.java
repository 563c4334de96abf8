package org.fedlora4j.microbench;

import java.util.Random;
import org.fedlora4j.kernels.CrossEntropyKernel;
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

/** Loss and gradient of a chunk of the head's rows over SmolLM2's vocabulary. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init")
public class CrossEntropyBenchmark {
    private static final int ROWS = 128;
    private static final int VOCABULARY = 49_152;
    private static final String LOSS = "sparse_softmax_cross_entropy_loss_with_logits";

    static {
        NativeRuntime.ensure();
    }

    @Param({"KERNEL", "BF16", "OPS"})
    public By by;

    private final NativeMemory memory = new NativeMemory();
    private final int[] targets = new Random(1).ints(ROWS, 0, VOCABULARY).toArray();
    private Runnable loss;
    private Runnable gradient;

    @Setup
    public void fill() {
        INDArray logits = memory.floats(ROWS, VOCABULARY);
        INDArray dLogits = memory.array(by == By.BF16 ? DataType.BFLOAT16 : DataType.FLOAT, ROWS, VOCABULARY);
        Nd4j.randn(logits);
        if (by != By.OPS) {
            Numbers numbers = NativeArrays.numbers(logits);
            Numbers dNumbers = NativeArrays.numbers(dLogits);
            loss = () -> CrossEntropyKernel.score(numbers, VOCABULARY, targets, null);
            gradient = () -> CrossEntropyKernel.score(numbers, VOCABULARY, targets, dNumbers);
        } else {
            INDArray labels = Nd4j.createFromArray(targets);
            Runnable losses = Nd4jOp.of(LOSS, new long[0], memory.floats(ROWS), labels, logits);
            Runnable gradients = Nd4jOp.of(LOSS + "_grad", new long[0], dLogits, labels, logits);
            loss = losses;
            gradient = () -> {
                losses.run();
                gradients.run();
            };
        }
    }

    @Benchmark
    public void loss() {
        loss.run();
    }

    @Benchmark
    public void lossAndGradient() {
        gradient.run();
    }

    @TearDown
    public void free() {
        memory.close();
    }
}
