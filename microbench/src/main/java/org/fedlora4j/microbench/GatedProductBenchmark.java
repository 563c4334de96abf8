package org.fedlora4j.microbench;

import org.fedlora4j.kernels.GatedProduct;
import org.fedlora4j.kernels.Numbers;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.NativeRuntime;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Gate, up and their activation of SmolLM2-135M, kept for the gradient. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init")
public class GatedProductBenchmark {
    private static final int HIDDEN = 576;
    private static final int WIDTH = 1_536;

    static {
        NativeRuntime.ensure();
    }

    @Param({"128", "512"})
    public int tokens;

    @Param
    public By by;

    private final NativeMemory memory = new NativeMemory();
    private Runnable product;

    @Setup
    public void bind() {
        boolean bf16 = by == By.BF16;
        INDArray x = Filled.array(memory, bf16, tokens, HIDDEN);
        INDArray gate = Filled.array(memory, bf16 || by == By.BF16_WEIGHTS, WIDTH, HIDDEN);
        INDArray up = Filled.array(memory, bf16 || by == By.BF16_WEIGHTS, WIDTH, HIDDEN);
        INDArray gates = Filled.array(memory, bf16, tokens, WIDTH);
        INDArray ups = Filled.array(memory, bf16, tokens, WIDTH);
        INDArray y = Filled.array(memory, bf16, tokens, WIDTH);
        if (by == By.OPS) {
            Runnable gateProduct = Nd4jOp.of("matmul", new long[] {0, 1, 0}, gates, x, gate);
            Runnable upProduct = Nd4jOp.of("matmul", new long[] {0, 1, 0}, ups, x, up);
            Runnable sigmoid = Nd4jOp.of("sigmoid", new long[0], y, gates);
            Runnable byGate = Nd4jOp.of("multiply", new long[0], y, y, gates);
            Runnable byUp = Nd4jOp.of("multiply", new long[0], y, y, ups);
            product = () -> {
                gateProduct.run();
                upProduct.run();
                sigmoid.run();
                byGate.run();
                byUp.run();
            };
            return;
        }
        GatedProduct gated = new GatedProduct(
                tokens,
                HIDDEN,
                WIDTH,
                NativeArrays.productType(x),
                NativeArrays.productType(gate),
                NativeArrays.productType(up),
                bf16);
        GatedProduct.Inputs inputs = new GatedProduct.Inputs(
                NativeArrays.address(x),
                NativeArrays.address(Filled.array(memory, bf16, tokens, HIDDEN)),
                NativeArrays.address(gate),
                NativeArrays.address(up));
        Numbers results = NativeArrays.numbers(y);
        Numbers keptGates = NativeArrays.numbers(gates);
        Numbers keptUps = NativeArrays.numbers(ups);
        product = () -> gated.run(inputs, results, keptGates, keptUps);
    }

    @Benchmark
    public void gatedProduct() {
        product.run();
    }

    @TearDown
    public void free() {
        memory.close();
    }
}
