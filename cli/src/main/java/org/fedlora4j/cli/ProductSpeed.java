package org.fedlora4j.cli;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.fedlora4j.model.exec.Arena;
import org.fedlora4j.model.exec.ExecutionPlan;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.nn.Projection;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How fast this machine multiplies in a plan, as training does: the projection of 512 tokens by a 4096 x 4096 weight. */
final class ProductSpeed {
    private static final int TOKENS = 512;
    private static final int SIZE = 4096;
    private static final long ENOUGH_NANOSECONDS = 700_000_000L;

    private ProductSpeed() {}

    /** The best of the runs that fit into about a second, in GFLOP/s. */
    static double measure(Precision precision) {
        SameDiff graph = SameDiff.create();
        SDVariable tokens = graph.placeHolder("tokens", DataType.FLOAT, TOKENS, SIZE);
        SDVariable weight = graph.placeHolder("weight", DataType.FLOAT, SIZE, SIZE);
        Projection.frozen(weight).apply(graph, tokens).rename("result");
        Set<String> factors = Set.of("tokens", "weight");
        ExecutionPlan plan = ExecutionPlan.compile(
                graph,
                factors,
                List.of("result"),
                List.of(),
                Map.of(),
                new ExecutionPlan.Options(precision, factors, false));
        try (NativeMemory memory = new NativeMemory()) {
            Map<String, INDArray> arrays = Map.of(
                    "tokens", memory.array(precision.weights(), TOKENS, SIZE),
                    "weight", memory.array(precision.weights(), SIZE, SIZE),
                    "result", memory.floats(TOKENS, SIZE));
            arrays.values().forEach(array -> array.assign(1));
            Arena nothing = memory.arena(Arena.ALIGNMENT);
            ExecutionPlan.Bound bound = plan.bind(arrays, nothing, 0, nothing);
            return 2.0 * TOKENS * SIZE * SIZE / best(bound);
        }
    }

    /** In nanoseconds. */
    private static long best(ExecutionPlan.Bound bound) {
        long best = Long.MAX_VALUE;
        long start = System.nanoTime();
        long now = start;
        while (now - start < ENOUGH_NANOSECONDS) {
            long before = now;
            bound.forward();
            // A GPU works on while Java goes on.
            Nd4j.getExecutioner().commit();
            now = System.nanoTime();
            best = Math.min(best, now - before);
        }
        return best;
    }
}
