package org.fedlora4j.model.exec;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.fedlora4j.kernels.WideProduct;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A product whose left matrix comes in two bfloat16 parts.
 *
 * @param product as it is of the first part
 * @param low the second one, what rounding to the first left over
 */
record WideProductStep(ProductStep product, String low) implements Step {
    @Override
    public String kind() {
        return "wide_product";
    }

    @Override
    public List<String> inputs() {
        return Stream.concat(product.inputs().stream(), Stream.of(low)).toList();
    }

    @Override
    public List<String> outputs() {
        return product.outputs();
    }

    @Override
    public Set<Integer> bf16Inputs() {
        return product.bf16Inputs();
    }

    @Override
    public @Nullable String replaceable() {
        return product.replaceable();
    }

    @Override
    public Step withInput(int index, String name) {
        return new WideProductStep(product.withInput(index, name), low);
    }

    @Override
    public List<long[]> outputShapes(INDArray[] arguments) {
        return product.outputShapes(arguments);
    }

    @Override
    public Runnable bind(INDArray[] arguments, INDArray[] results) {
        WideProduct wide = new WideProduct(product.shape(arguments[0], arguments[1], results[0]));
        long left = NativeArrays.address(arguments[0]);
        long right = NativeArrays.address(arguments[1]);
        long further = NativeArrays.address(arguments[arguments.length - 1]);
        long result = NativeArrays.address(results[0]);
        long other = product.plus() == null ? 0 : NativeArrays.address(arguments[2]);
        return () -> wide.run(left, further, right, result, other);
    }
}
