package org.fedlora4j.model.exec;

import java.util.List;
import java.util.stream.Stream;
import org.fedlora4j.kernels.GatedProduct;
import org.fedlora4j.kernels.Numbers;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Two products of the same left matrix and their gated activation in one.
 *
 * @param low the left matrix's second part, as of a {@link WideProductStep}; or null
 * @param outputs the activation, and where somebody reads them both products
 */
record GatedStep(String x, @Nullable String low, String gateWeight, String upWeight, List<String> outputs)
        implements Step {
    @Override
    public String kind() {
        return "gated_product";
    }

    @Override
    public List<String> inputs() {
        return Stream.of(x, gateWeight, upWeight, low)
                .filter(input -> input != null)
                .toList();
    }

    @Override
    public List<long[]> outputShapes(INDArray[] arguments) {
        long[] shape = {arguments[0].size(0), arguments[1].size(0)};
        return outputs.stream().map(output -> shape).toList();
    }

    @Override
    public Runnable bind(INDArray[] arguments, INDArray[] results) {
        INDArray weight = arguments[1];
        GatedProduct product = new GatedProduct(
                Math.toIntExact(arguments[0].size(0)),
                Math.toIntExact(weight.size(1)),
                Math.toIntExact(weight.size(0)),
                NativeArrays.productType(arguments[0]),
                NativeArrays.productType(weight),
                NativeArrays.productType(arguments[2]),
                low != null);
        GatedProduct.Inputs inputs = new GatedProduct.Inputs(
                NativeArrays.address(arguments[0]),
                low == null ? 0 : NativeArrays.address(arguments[3]),
                NativeArrays.address(weight),
                NativeArrays.address(arguments[2]));
        Numbers y = NativeArrays.numbers(results[0]);
        Numbers gate = results.length == 1 ? null : NativeArrays.numbers(results[1]);
        Numbers up = results.length == 1 ? null : NativeArrays.numbers(results[2]);
        return () -> product.run(inputs, y, gate, up);
    }
}
