package org.fedlora4j.model.exec;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.fedlora4j.kernels.RmsNormKernel;
import org.fedlora4j.kernels.RopeKernel;
import org.fedlora4j.kernels.SoftmaxKernel;
import org.fedlora4j.kernels.SwiGluKernel;
import org.jspecify.annotations.Nullable;

/**
 * The fused kernels that can stand for a {@link FusedScope} and for its gradient: what each reads, and how it is called.
 * Buffers come in the order inputs, then outputs; shapes are the inputs'; the
 * number is the scope's constant.
 */
public enum Kernel {
    /** Inputs x [N, D] and weight [D]; number {@code epsilon}. */
    RMS_NORM(1, "epsilon") {
        @Override
        List<String> backwardInputs(List<String> inputs, String output, String gradient) {
            return List.of(inputs.get(0), inputs.get(1), gradient);
        }

        @Override
        Runnable forward(FloatBuffer[] b, long[][] shapes, float number) {
            int rows = (int) shapes[0][0];
            int width = (int) shapes[0][1];
            return () -> RmsNormKernel.forward(b[0], b[1], b[2], rows, width, number);
        }

        @Override
        Runnable backward(FloatBuffer[] b, long[][] shapes, float number) {
            int rows = (int) shapes[0][0];
            int width = (int) shapes[0][1];
            return () -> RmsNormKernel.backward(b[0], b[1], b[2], b[3], rows, width, number);
        }
    },

    /** Inputs x [N, heads·h], cosines and sines of the same shape, and rotateHalf [h, h]. */
    ROPE(1, null) {
        @Override
        List<String> backwardInputs(List<String> inputs, String output, String gradient) {
            return List.of(gradient, inputs.get(1), inputs.get(2), inputs.get(3));
        }

        @Override
        Runnable forward(FloatBuffer[] b, long[][] shapes, float number) {
            return turn(b, shapes, 1);
        }

        @Override
        Runnable backward(FloatBuffer[] b, long[][] shapes, float number) {
            return turn(b, shapes, -1);
        }

        private Runnable turn(FloatBuffer[] b, long[][] shapes, int direction) {
            int rows = (int) shapes[0][0];
            int width = (int) shapes[0][1];
            int headSize = (int) shapes[3][0];
            return () -> RopeKernel.turn(b[0], b[1], b[2], b[4], rows, width, headSize, direction);
        }
    },

    /** Inputs scores [B, H, T, S] and mask [B, 1, T, S]; number {@code scale}. */
    SOFTMAX(1, "scale") {
        @Override
        List<String> backwardInputs(List<String> inputs, String output, String gradient) {
            return List.of(output, gradient);
        }

        @Override
        Runnable forward(FloatBuffer[] b, long[][] shapes, float number) {
            int[] size = Arrays.stream(shapes[0]).mapToInt(Math::toIntExact).toArray();
            return () -> SoftmaxKernel.forward(b[0], b[1], b[2], size[0], size[1], size[2], size[3], number);
        }

        @Override
        Runnable backward(FloatBuffer[] b, long[][] shapes, float number) {
            int width = (int) shapes[0][3];
            int rows = b[0].capacity() / width;
            return () -> SoftmaxKernel.backward(b[0], b[1], b[2], rows, width, number);
        }
    },

    /** Inputs gate and up, both [N, F]. */
    SWIGLU(2, null) {
        @Override
        List<String> backwardInputs(List<String> inputs, String output, String gradient) {
            return List.of(inputs.get(0), inputs.get(1), gradient);
        }

        @Override
        Runnable forward(FloatBuffer[] b, long[][] shapes, float number) {
            return () -> SwiGluKernel.forward(b[0], b[1], b[2], b[2].capacity());
        }

        @Override
        Runnable backward(FloatBuffer[] b, long[][] shapes, float number) {
            return () -> SwiGluKernel.backward(b[0], b[1], b[2], b[3], b[4], b[2].capacity());
        }
    };

    /** System property that says {@code off} where ND4J's ops shall run instead. */
    private static final String SWITCH = "fedlora.kernels";

    private final int gradients;
    private final @Nullable String number;

    Kernel(int gradients, @Nullable String number) {
        this.gradients = gradients;
        this.number = number;
    }

    /** Whether kernels can run: the JVM was started with the Vector API, and they are not switched off. */
    public static boolean available() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                && !"off".equals(System.getProperty(SWITCH));
    }

    static Optional<Kernel> ofScope(String scope) {
        return Arrays.stream(values())
                .filter(kernel -> kernel.scope().equals(scope))
                .findFirst();
    }

    /** The name of its scope. */
    String scope() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** How many of the inputs, from the first on, have a gradient. */
    int gradients() {
        return gradients;
    }

    /** The name of the scope's constant that the kernel needs to know, or null where there is none. */
    @Nullable
    String number() {
        return number;
    }

    /** What the gradient is made from, in the kernel's order; as little as possible, since it is kept until then. */
    abstract List<String> backwardInputs(List<String> inputs, String output, String gradient);

    abstract Runnable forward(FloatBuffer[] buffers, long[][] shapes, float number);

    abstract Runnable backward(FloatBuffer[] buffers, long[][] shapes, float number);
}
