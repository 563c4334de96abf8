package org.fedlora4j.microbench;

import java.nio.FloatBuffer;
import java.util.Random;
import org.fedlora4j.kernels.HeadLossKernel;
import org.fedlora4j.kernels.Product;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.NativeRuntime;
import org.jspecify.annotations.Nullable;
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
public class HeadLossBenchmark {
    private static final int ROWS = 256;
    private static final int HIDDEN = 576;
    private static final int VOCABULARY = 49_152;
    private static final String LOSS = "sparse_softmax_cross_entropy_loss_with_logits";

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
    public void bind() {
        INDArray x = Filled.array(memory, by == By.BF16, ROWS, HIDDEN);
        INDArray weight = Filled.array(memory, by == By.BF16 || by == By.BF16_WEIGHTS, VOCABULARY, HIDDEN);
        INDArray dx = memory.floats(ROWS, HIDDEN);
        if (by == By.OPS) {
            bindOps(x, weight, dx);
            return;
        }
        INDArray low = Filled.array(memory, true, ROWS, HIDDEN);
        HeadLossKernel.Hidden hidden = by == By.BF16
                ? new HeadLossKernel.Hidden(Product.Type.BF16, NativeArrays.address(x), NativeArrays.address(low))
                : new HeadLossKernel.Hidden(Product.Type.F32, NativeArrays.address(x), 0);
        HeadLossKernel kernel = new HeadLossKernel(ROWS, NativeArrays.matrix(weight));
        loss = () -> score(kernel, hidden, null);
        gradient = () -> score(kernel, hidden, NativeArrays.buffer(dx));
    }

    private void score(HeadLossKernel kernel, HeadLossKernel.Hidden hidden, @Nullable FloatBuffer dx) {
        kernel.score(hidden, targets, dx, 1);
    }

    private void bindOps(INDArray x, INDArray weight, INDArray dx) {
        INDArray logits = memory.floats(ROWS, VOCABULARY);
        INDArray dLogits = memory.floats(ROWS, VOCABULARY);
        INDArray labels = Nd4j.createFromArray(targets);
        Runnable products = Nd4jOp.of("matmul", new long[] {0, 1, 0}, logits, x, weight);
        Runnable losses = Nd4jOp.of(LOSS, new long[0], memory.floats(ROWS), labels, logits);
        Runnable gradients = Nd4jOp.of(LOSS + "_grad", new long[0], dLogits, labels, logits);
        Runnable gradientProducts = Nd4jOp.of("matmul", new long[] {0, 0, 0}, dx, dLogits, weight);
        loss = () -> {
            products.run();
            losses.run();
        };
        gradient = () -> {
            loss.run();
            gradients.run();
            gradientProducts.run();
        };
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
