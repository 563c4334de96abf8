package org.fedlora4j.benchmark.speed;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.fedlora4j.kernels.Product;
import org.fedlora4j.kernels.SharedProduct;
import org.fedlora4j.kernels.WideProduct;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.exec.NativeArrays;
import org.fedlora4j.model.exec.NativeMemory;
import org.fedlora4j.model.exec.NativeRuntime;
import org.fedlora4j.model.exec.Precision;
import org.fedlora4j.model.weights.Checkpoint;
import org.fedlora4j.model.weights.ParameterNames;
import org.fedlora4j.model.weights.ParameterNames.Role;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Times what no training step can do without: the products with frozen weights, x·Wᵀ forward and dy·W backward, of
 * every projection of every layer and of the head, with nothing between them; with {@code --forward} those of a forward pass alone. In bf16 those that read a norm multiply both
 * of its parts, as a step does.
 */
public final class MatmulLimit implements AutoCloseable {
    static {
        NativeRuntime.ensure();
    }

    private static final Set<Role> OF_NORM =
            Set.of(Role.QUERY, Role.KEY, Role.VALUE, Role.GATE, Role.UP, Role.EMBEDDING, Role.HEAD);
    private static final Set<Role> OTHERS = Set.of(Role.OUTPUT, Role.DOWN);

    private final int rows;
    private final Precision precision;
    private final NativeMemory memory = new NativeMemory();
    /** Arrays [rows, width] by width: the ones are read, the others written. */
    private final Map<Long, INDArray> operands = new HashMap<>();

    private final Map<Long, INDArray> results = new HashMap<>();
    private final List<Runnable> products = new ArrayList<>();

    private MatmulLimit(Checkpoint checkpoint, int rows, Precision precision, boolean forwardOnly) throws IOException {
        this.rows = rows;
        this.precision = precision;
        LlamaConfig config = checkpoint.config();
        List<Runnable> backward = new ArrayList<>();
        // The head is the embedding where they are tied, and the parameters' last one where they are not.
        for (var parameter : ParameterNames.of(config).toList()) {
            boolean ofNorm = OF_NORM.contains(parameter.role());
            boolean lookup = parameter.role() == Role.EMBEDDING && !config.tiedEmbeddings();
            if ((ofNorm || OTHERS.contains(parameter.role())) && !lookup) {
                INDArray weight = weight(checkpoint, parameter.name());
                products.add(product(operand(weight.size(1)), weight, true, ofNorm, result(weight.size(0))));
                backward.add(product(operand(weight.size(0)), weight, false, false, result(weight.size(1))));
            }
        }
        if (!forwardOnly) {
            Collections.reverse(backward);
            products.addAll(backward);
        }
    }

    public static void main(String[] texts) throws IOException {
        Arguments arguments = Arguments.parse(
                texts, List.of("MODEL", "BATCH", "TOKENS", "PRECISION"), Set.of("steps", "warm-up", "forward"));
        Precision precision = Precision.choose(arguments.text("PRECISION")).precision();
        int rows = arguments.number("BATCH") * arguments.number("TOKENS");
        try (Checkpoint checkpoint = Checkpoint.open(arguments.path("MODEL"));
                MatmulLimit limit = new MatmulLimit(checkpoint, rows, precision, arguments.has("forward"))) {
            List<Double> millis = Measurement.time(
                    arguments.number("warm-up", Measurement.WARM_UP),
                    arguments.number("steps", 8),
                    () -> limit.products.forEach(Runnable::run));
            System.out.println(Measurement.here(millis, rows, new TreeMap<>()).toJson());
        }
    }

    @Override
    public void close() {
        memory.close();
    }

    /** A weight [out, in] as {@link #product} takes it, where it is mapped if it may stay there. */
    private INDArray weight(Checkpoint checkpoint, String name) throws IOException {
        INDArray mapped = checkpoint.weight(name);
        if (precision.reads(mapped)) {
            return mapped;
        }
        INDArray cast = memory.array(precision.weights(), mapped.shape());
        cast.assign(mapped);
        checkpoint.evict(name);
        return cast;
    }

    /**
     * One product, ready to be run again and again.
     *
     * @param left [rows, in], or backward [rows, out]
     * @param weight [out, in]
     * @param ofNorm whether the left matrix is a norm's value, in two parts in bf16
     * @param result [rows, out], or backward [rows, in]
     */
    private Runnable product(INDArray left, INDArray weight, boolean transposed, boolean ofNorm, INDArray result) {
        if (Product.failure() != null) {
            return productOfNd4j(left, weight, transposed, result);
        }
        Product.Shape shape = new Product.Shape(
                Math.toIntExact(left.size(0)),
                Math.toIntExact(left.size(1)),
                Math.toIntExact(result.size(1)),
                NativeArrays.operand(left, false),
                NativeArrays.operand(weight, transposed),
                NativeArrays.operand(result, false),
                Product.Sum.NOTHING);
        long leftAddress = NativeArrays.address(left);
        long weightAddress = NativeArrays.address(weight);
        long resultAddress = NativeArrays.address(result);
        if (ofNorm && precision.isWide(left.size(1))) {
            WideProduct wide = new WideProduct(shape);
            return () -> wide.run(leftAddress, leftAddress, weightAddress, resultAddress, 0);
        }
        SharedProduct product = new SharedProduct(shape);
        return () -> product.run(leftAddress, weightAddress, resultAddress, 0);
    }

    /** As the model's own products are computed where there is no other way. */
    private static Runnable productOfNd4j(INDArray left, INDArray weight, boolean transposed, INDArray result) {
        DynamicCustomOp matmul = DynamicCustomOp.builder("matmul")
                .addInputs(left, weight)
                .addOutputs(result)
                .addIntegerArguments(0, transposed ? 1 : 0, 0)
                .build();
        OpContext context = Nd4j.getExecutioner().buildContext();
        context.setInputArrays(left, weight);
        context.setOutputArray(0, result);
        context.setIArguments(matmul.iArgs());
        return () -> Nd4j.getExecutioner().exec(matmul, context);
    }

    private INDArray operand(long width) {
        return Objects.requireNonNull(operands.computeIfAbsent(width, size -> {
            INDArray operand = memory.array(precision.weights(), rows, size);
            operand.assign(Nd4j.rand(new long[] {rows, size}));
            return operand;
        }));
    }

    private INDArray result(long width) {
        return Objects.requireNonNull(results.computeIfAbsent(width, size -> memory.floats(rows, size)));
    }
}
