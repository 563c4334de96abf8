package org.fedlora4j.model.exec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.ReduceOp;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An op of ND4J as a step.
 *
 * <p>ND4J has two families. A custom op takes everything through its context. A legacy op keeps its scalar and its
 * dimensions in the op object, so the op object belongs to one plan and a plan to one thread.
 *
 * @param integers the custom op's integer arguments where a rewrite set them, else null for the op's own
 */
record OpStep(DifferentialFunction op, List<String> inputs, List<String> outputs, long @Nullable [] integers)
        implements Step {
    /** Multiplications of a product that is worth a call of its own. */
    private static final long LARGE_PRODUCT = 1 << 18;

    OpStep(DifferentialFunction op, List<String> inputs, List<String> outputs) {
        this(op, inputs, outputs, null);
    }

    @Override
    public String kind() {
        return op.opName();
    }

    /** A context with the given inputs and the op's arguments, without outputs. */
    private OpContext context(INDArray[] arguments) {
        OpContext context = Nd4j.getExecutioner().buildContext();
        if (op instanceof CustomOp custom) {
            context.setArgs(
                    arguments,
                    integers != null ? integers : custom.iArgs(),
                    custom.dArgs(),
                    custom.tArgs(),
                    custom.bArgs());
        } else {
            context.setInputArray(0, arguments[0]);
            if (arguments.length == 2 && !takesDimensions() && !(op instanceof ScalarOp)) {
                context.setInputArray(1, arguments[1]);
            }
        }
        return context;
    }

    /** Moves into a legacy op what SameDiff passes as a second input: a reduction's dimensions or a scalar. */
    private void bindLegacyArguments(INDArray[] arguments) {
        if (op instanceof CustomOp || arguments.length < 2) {
            return;
        }
        if (takesDimensions()) {
            op.setDimensions(arguments[1].toIntVector());
        } else if (op instanceof ScalarOp scalar) {
            scalar.setScalar(arguments[1]);
        }
    }

    private boolean takesDimensions() {
        return op instanceof ReduceOp reduce && reduce.getOpType() != Op.Type.REDUCE3;
    }

    @Override
    public List<long[]> outputShapes(INDArray[] arguments) {
        bindLegacyArguments(arguments);
        OpContext context = context(arguments);
        List<LongShapeDescriptor> shapes = op instanceof CustomOp custom
                ? custom.calculateOutputShape(context)
                : ((BaseOp) op).calculateOutputShape(context);
        return shapes.stream().map(LongShapeDescriptor::getShape).toList();
    }

    @Override
    public Runnable bind(INDArray[] arguments, INDArray[] results) {
        if (isBatchedProduct(arguments, results)) {
            List<Runnable> products = new ArrayList<>();
            for (long i = 0; i < matrices(results[0]); i++) {
                long matrix = i;
                INDArray[] factors = Arrays.stream(arguments)
                        .map(argument -> matrix(argument, matrix))
                        .toArray(INDArray[]::new);
                products.add(bindOne(factors, new INDArray[] {matrix(results[0], matrix)}));
            }
            return () -> products.forEach(Runnable::run);
        }
        return bindOne(arguments, results);
    }

    private Runnable bindOne(INDArray[] arguments, INDArray[] results) {
        OpContext context = context(arguments);
        for (int i = 0; i < results.length; i++) {
            context.setOutputArray(i, results[i]);
        }
        return op instanceof CustomOp custom
                ? () -> Nd4j.getExecutioner().exec(custom, context)
                : () -> Nd4j.getExecutioner().exec((Op) op, context);
    }

    /** ND4J takes two to three times as long for many products at once as for one after the other, unless they are small. */
    private boolean isBatchedProduct(INDArray[] arguments, INDArray[] results) {
        if (!op.opName().equals("matmul") || results[0].rank() <= 2) {
            return false;
        }
        // The result has a row for each of the first factor's, transposed or not; the rest of it is what is summed
        // over.
        long summed = arguments[0].length() / matrices(arguments[0]) / results[0].size(-2);
        return results[0].size(-2) * results[0].size(-1) * summed >= LARGE_PRODUCT;
    }

    private static long matrices(INDArray array) {
        return array.length() / (array.size(-1) * array.size(-2));
    }

    /** One matrix of a row-major array [..., rows, columns], as a view. */
    private static INDArray matrix(INDArray array, long index) {
        long rows = array.size(-2);
        long columns = array.size(-1);
        return Nd4j.create(
                array.data(),
                new long[] {rows, columns},
                new long[] {columns, 1},
                array.offset() + index * rows * columns,
                'c');
    }
}
