package org.fedlora4j.model.exec;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.fedlora4j.kernels.Product;
import org.fedlora4j.kernels.SharedProduct;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A product of two matrices by oneDNN, and what is added to it.
 *
 * @param leftTransposed whether the left matrix lies in memory transposed
 * @param rightTransposed whether the right one does
 * @param factor what the product is multiplied by
 * @param plus what is added, of the product's shape; null for nothing
 */
record ProductStep(
        String left,
        String right,
        boolean leftTransposed,
        boolean rightTransposed,
        float factor,
        @Nullable String plus,
        String output)
        implements Step {
    /** Whether products can be computed so. */
    static boolean available() {
        return Kernel.available() && Product.failure() == null;
    }

    ProductStep plus(String plus, String sum) {
        return new ProductStep(left, right, leftTransposed, rightTransposed, factor, plus, sum);
    }

    ProductStep times(float scale, String scaled) {
        return new ProductStep(left, right, leftTransposed, rightTransposed, factor * scale, plus, scaled);
    }

    @Override
    public String kind() {
        return "product";
    }

    @Override
    public List<String> inputs() {
        return Stream.of(left, right, plus).filter(input -> input != null).toList();
    }

    @Override
    public List<String> outputs() {
        return List.of(output);
    }

    @Override
    public Set<Integer> bf16Inputs() {
        return Set.of(0, 1);
    }

    @Override
    public boolean canWriteBf16() {
        return true;
    }

    @Override
    public @Nullable String replaceable() {
        return plus;
    }

    @Override
    public ProductStep withInput(int index, String name) {
        return new ProductStep(
                index == 0 ? name : left,
                index == 1 ? name : right,
                leftTransposed,
                rightTransposed,
                factor,
                plus,
                output);
    }

    @Override
    public List<long[]> outputShapes(INDArray[] arguments) {
        return List.of(
                new long[] {arguments[0].size(leftTransposed ? 1 : 0), arguments[1].size(rightTransposed ? 0 : 1)});
    }

    @Override
    public Runnable bind(INDArray[] arguments, INDArray[] results) {
        INDArray left = arguments[0];
        INDArray right = arguments[1];
        SharedProduct product = new SharedProduct(shape(left, right, results[0]));
        long leftAddress = NativeArrays.address(left);
        long rightAddress = NativeArrays.address(right);
        long result = NativeArrays.address(results[0]);
        long other = plus == null ? 0 : NativeArrays.address(arguments[2]);
        return () -> product.run(leftAddress, rightAddress, result, other);
    }

    Product.Shape shape(INDArray left, INDArray right, INDArray result) {
        return new Product.Shape(
                Math.toIntExact(result.size(0)),
                Math.toIntExact(left.size(leftTransposed ? 0 : 1)),
                Math.toIntExact(result.size(1)),
                NativeArrays.operand(left, leftTransposed),
                NativeArrays.operand(right, rightTransposed),
                NativeArrays.operand(result, false),
                factor,
                plus == null ? Product.Sum.NOTHING : Product.Sum.OTHER);
    }
}
