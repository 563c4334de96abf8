package org.fedlora4j.microbench;

import org.fedlora4j.kernels.Product;
import org.fedlora4j.kernels.Product.Sum;
import org.fedlora4j.kernels.SharedProduct;
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

/** Rows of a batch times the transposed weights of SmolLM2-135M. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init")
public class ProductBenchmark {
    static {
        NativeRuntime.ensure();
    }

    /** What is projected; the output projection is as large as the queries', the values' as the keys', up as gate. */
    public enum Weights {
        QUERY(576, 576),
        KEY(576, 192),
        GATE(576, 1_536),
        DOWN(1_536, 576),
        HEAD(576, 49_152);

        private final int from;
        private final int to;

        Weights(int from, int to) {
            this.from = from;
            this.to = to;
        }
    }

    @Param
    public Weights weights;

    @Param({"128", "512"})
    public int tokens;

    @Param
    public By by;

    private final NativeMemory memory = new NativeMemory();
    private Runnable product;

    @Setup
    public void bind() {
        INDArray rows = Filled.array(memory, by == By.BF16, tokens, weights.from);
        INDArray matrix = Filled.array(memory, by == By.BF16 || by == By.BF16_WEIGHTS, weights.to, weights.from);
        INDArray result = memory.floats(tokens, weights.to);
        if (by == By.OPS) {
            product = Nd4jOp.of("matmul", new long[] {0, 1, 0}, result, rows, matrix);
            return;
        }
        SharedProduct shared = new SharedProduct(new Product.Shape(
                tokens,
                weights.from,
                weights.to,
                NativeArrays.operand(rows, false),
                NativeArrays.operand(matrix, true),
                NativeArrays.operand(result, false),
                Sum.NOTHING));
        long left = rows.data().address();
        long right = matrix.data().address();
        long to = result.data().address();
        product = () -> shared.run(left, right, to, 0);
    }

    @Benchmark
    public void product() {
        product.run();
    }

    @TearDown
    public void free() {
        memory.close();
    }
}
