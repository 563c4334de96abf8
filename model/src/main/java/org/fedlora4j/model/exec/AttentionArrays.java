package org.fedlora4j.model.exec;

import java.nio.FloatBuffer;
import org.fedlora4j.kernels.AttentionKernel;
import org.fedlora4j.kernels.Product;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@link AttentionKernel} on the arrays of {@link Kernel#ATTENTION}: queries, keys, values, mask, and what follows them. */
final class AttentionArrays {
    private AttentionArrays() {}

    static AttentionKernel.Dimensions dimensions(INDArray[] a, float headSize) {
        return new AttentionKernel.Dimensions(
                (int) a[3].size(0),
                (int) a[3].size(2),
                (int) (a[0].size(1) / headSize),
                (int) (a[1].size(1) / headSize),
                (int) headSize);
    }

    /** @param a then the output, and the weights if they are to be kept */
    static Runnable forward(INDArray[] a, float headSize) {
        AttentionKernel kernel = kernel(a, headSize);
        AttentionKernel.Inputs inputs = inputs(a);
        long output = NativeArrays.address(a[4]);
        Product.Type outputType = NativeArrays.productType(a[4]);
        long kept = a.length > 5 ? NativeArrays.address(a[5]) : 0;
        return () -> kernel.forward(inputs, output, outputType, kept);
    }

    /** @param a then the output's gradient, the weights if they were kept, and what {@link AttentionKernel.Gradients} says */
    static Runnable backward(INDArray[] a, float headSize) {
        AttentionKernel kernel = kernel(a, headSize);
        AttentionKernel.Inputs inputs = inputs(a);
        long outputGradient = NativeArrays.address(a[4]);
        int made = a.length - 4;
        long kept = made > 5 ? NativeArrays.address(a[5]) : 0;
        FloatBuffer heads = NativeArrays.buffer(a[made + 3]);
        AttentionKernel.Gradients gradients = new AttentionKernel.Gradients(
                NativeArrays.address(a[made]),
                NativeArrays.buffer(a[made + 1]),
                NativeArrays.buffer(a[made + 2]),
                heads,
                NativeArrays.address(a[made + 3]));
        return () -> kernel.backward(inputs, outputGradient, kept, gradients);
    }

    private static AttentionKernel kernel(INDArray[] a, float headSize) {
        return new AttentionKernel(
                dimensions(a, headSize), NativeArrays.productType(a[0]), NativeArrays.productType(a[2]));
    }

    private static AttentionKernel.Inputs inputs(INDArray[] a) {
        return new AttentionKernel.Inputs(
                NativeArrays.address(a[0]),
                NativeArrays.address(a[1]),
                NativeArrays.address(a[2]),
                NativeArrays.buffer(a[3]));
    }
}
