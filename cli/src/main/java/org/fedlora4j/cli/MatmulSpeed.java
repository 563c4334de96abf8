package org.fedlora4j.cli;

import org.fedlora4j.model.exec.NativeRuntime;
import org.nd4j.linalg.api.blas.params.MMulTranspose;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.factory.Nd4j;

/** How fast this machine multiplies through ND4J: the projection of 512 tokens by a 4096 x 4096 weight. */
final class MatmulSpeed {
    private static final int TOKENS = 512;
    private static final int SIZE = 4096;
    private static final long ENOUGH_NANOSECONDS = 700_000_000L;

    static {
        NativeRuntime.ensure();
    }

    private MatmulSpeed() {}

    /**
     * The best of the runs that fit into about a second, in GFLOP/s.
     *
     * @param type of both factors and of the result
     */
    static double measure(DataType type) {
        INDArray tokens = Nd4j.rand(DataType.FLOAT, TOKENS, SIZE).castTo(type);
        INDArray weight = Nd4j.rand(DataType.FLOAT, SIZE, SIZE).castTo(type);
        INDArray result = Nd4j.createUninitialized(type, new long[] {TOKENS, SIZE}, 'c');
        CustomOp matmul = new Mmul(
                tokens, weight, result, MMulTranspose.builder().transposeB(true).build());
        OpContext context = Nd4j.getExecutioner().buildContext();
        context.setInputArray(0, tokens);
        context.setInputArray(1, weight);
        context.setOutputArray(0, result);
        context.setIArguments(0, 1, 0); // transpose the second factor only

        long best = Long.MAX_VALUE;
        long start = System.nanoTime();
        long now = start;
        while (now - start < ENOUGH_NANOSECONDS) {
            long before = now;
            Nd4j.getExecutioner().exec(matmul, context);
            now = System.nanoTime();
            best = Math.min(best, now - before);
        }
        return 2.0 * TOKENS * SIZE * SIZE / best;
    }
}
