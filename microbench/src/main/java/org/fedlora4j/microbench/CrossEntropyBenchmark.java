package org.fedlora4j.microbench;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.fedlora4j.kernels.CrossEntropyKernel;
import org.fedlora4j.kernels.Numbers;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.NativeRuntime;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Loss and gradient of a chunk of the head's rows over SmolLM2's vocabulary. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 6, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 9, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@SuppressWarnings("NullAway.Init")
public class CrossEntropyBenchmark {
    private static final int ROWS = 128;
    private static final int VOCABULARY = 49_152;

    static {
        NativeRuntime.ensure();
    }

    @Param
    public By by;

    private final NativeMemory memory = new NativeMemory();
    private final int[] targets = new Random(1).ints(ROWS, 0, VOCABULARY).toArray();
    private Runnable loss;
    private Runnable gradient;

    @Setup
    public void fill() {
        INDArray logits = memory.floats(ROWS, VOCABULARY);
        INDArray dLogits = memory.floats(ROWS, VOCABULARY);
        Nd4j.randn(logits);
        if (by == By.KERNEL) {
            Numbers numbers = Numbers.of(NativeArrays.buffer(logits));
            Numbers dNumbers = Numbers.of(NativeArrays.buffer(dLogits));
            loss = () -> CrossEntropyKernel.score(numbers, VOCABULARY, targets, null);
            gradient = () -> CrossEntropyKernel.score(numbers, VOCABULARY, targets, dNumbers);
        } else {
            INDArray labels = Nd4j.createFromArray(targets);
            Runnable losses = op("", labels, logits, memory.floats(ROWS));
            Runnable gradients = op("_grad", labels, logits, dLogits);
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

    private static Runnable op(String suffix, INDArray labels, INDArray logits, INDArray output) {
        DynamicCustomOp op = DynamicCustomOp.builder("sparse_softmax_cross_entropy_loss_with_logits" + suffix)
                .build();
        OpContext context = Nd4j.getExecutioner().buildContext();
        context.setInputArray(0, labels);
        context.setInputArray(1, logits);
        context.setOutputArray(0, output);
        return () -> Nd4j.getExecutioner().exec(op, context);
    }
}
