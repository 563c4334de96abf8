package org.fedlora4j.model.exec;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.fedlora4j.kernels.AttentionKernel;
import org.fedlora4j.kernels.Numbers;
import org.fedlora4j.kernels.RmsNormKernel;
import org.fedlora4j.kernels.RopeKernel;
import org.fedlora4j.kernels.SoftmaxKernel;
import org.fedlora4j.kernels.SwiGluKernel;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The fused kernels that can stand for a {@link FusedScope} and for its gradient: what each reads, and how it is called.
 * The number is the scope's constant.
 */
public enum Kernel {
    /**
     * Inputs x [N, D] and weight [D]; number {@code epsilon}. It can write a second output, what rounding left over of the
     * first, and its gradient can add a further [N, D].
     */
    RMS_NORM(1, "epsilon") {
        @Override
        boolean writesBf16(boolean backward) {
            return !backward;
        }

        @Override
        boolean adds(boolean backward) {
            return backward;
        }

        @Override
        List<String> backwardInputs(List<String> inputs, String output, String gradient) {
            return List.of(inputs.get(0), inputs.get(1), gradient);
        }

        @Override
        Runnable forward(INDArray[] a, float number) {
            Numbers[] n = numbers(a);
            int rows = (int) a[0].size(0);
            int width = (int) a[0].size(1);
            Numbers low = a.length == 4 ? n[3] : null;
            return () -> RmsNormKernel.forward(n[0], n[1], n[2], low, rows, width, number);
        }

        @Override
        Runnable backward(INDArray[] a, float number) {
            Numbers[] n = numbers(a);
            int rows = (int) a[0].size(0);
            int width = (int) a[0].size(1);
            Numbers plus = a.length == 5 ? n[3] : null;
            return () -> RmsNormKernel.backward(n[0], n[1], n[2], plus, n[n.length - 1], rows, width, number);
        }
    },

    /** Inputs x [N, heads·h], cosines and sines of the same shape, and rotateHalf [h, h]. */
    ROPE(1, null) {
        @Override
        boolean writesBf16(boolean backward) {
            return true;
        }

        @Override
        List<String> backwardInputs(List<String> inputs, String output, String gradient) {
            return List.of(gradient, inputs.get(1), inputs.get(2), inputs.get(3));
        }

        @Override
        Runnable forward(INDArray[] a, float number) {
            return turn(a, 1);
        }

        @Override
        Runnable backward(INDArray[] a, float number) {
            return turn(a, -1);
        }

        private Runnable turn(INDArray[] a, int direction) {
            Numbers[] n = numbers(a);
            int rows = (int) a[0].size(0);
            int width = (int) a[0].size(1);
            int headSize = (int) a[3].size(0);
            return () -> RopeKernel.turn(n[0], n[1], n[2], n[4], rows, width, headSize, direction);
        }
    },

    /** Inputs scores [B, H, T, S] and mask [B, 1, T, S]; number {@code scale}. */
    SOFTMAX(1, "scale") {
        @Override
        List<String> backwardInputs(List<String> inputs, String output, String gradient) {
            return List.of(output, gradient);
        }

        @Override
        Runnable forward(INDArray[] a, float number) {
            Numbers[] n = numbers(a);
            int[] size = Arrays.stream(a[0].shape()).mapToInt(Math::toIntExact).toArray();
            return () -> SoftmaxKernel.forward(n[0], n[1], n[2], size[0], size[1], size[2], size[3], number);
        }

        @Override
        Runnable backward(INDArray[] a, float number) {
            Numbers[] n = numbers(a);
            int width = (int) a[0].size(3);
            int rows = n[0].length() / width;
            return () -> SoftmaxKernel.backward(n[0], n[1], n[2], rows, width, number);
        }
    },

    /**
     * Inputs queries [B·T, H·h], keys and values [B·T, K·h], and mask [B, 1, T, T]; number {@code head_size}, h. Needs
     * {@link ProductStep products}.
     */
    ATTENTION(3, "head_size") {
        @Override
        List<String> backwardInputs(List<String> inputs, String output, String gradient) {
            return List.of(inputs.get(0), inputs.get(1), inputs.get(2), inputs.get(3), gradient);
        }

        @Override
        boolean usable() {
            return ProductStep.available();
        }

        @Override
        Set<Integer> bf16Inputs(boolean backward) {
            return backward ? Set.of(2, 4, 5) : Set.of(2);
        }

        @Override
        Set<Integer> bf16InputsOfLarge() {
            return Set.of(0, 1);
        }

        @Override
        boolean writesBf16(boolean backward) {
            return !backward;
        }

        @Override
        int backwardSpaces() {
            return 1;
        }

        @Override
        List<long[]> backwardSpace(INDArray[] inputs) {
            return List.of(new long[] {2, inputs[0].size(0), inputs[0].size(1)});
        }

        @Override
        Runnable forward(INDArray[] a, float headSize) {
            return AttentionArrays.forward(a, headSize);
        }

        @Override
        Runnable backward(INDArray[] a, float headSize) {
            return AttentionArrays.backward(a, headSize);
        }

        @Override
        boolean canKeep() {
            return true;
        }

        @Override
        long keptElements(INDArray[] inputs, float headSize) {
            return AttentionKernel.keptElements(AttentionArrays.dimensions(inputs, headSize));
        }
    },

    /** Inputs gate and up, both [N, F]. */
    SWIGLU(2, null) {
        @Override
        Set<Integer> bf16Inputs(boolean backward) {
            return backward ? Set.of(2) : Set.of();
        }

        @Override
        boolean writesBf16(boolean backward) {
            return true;
        }

        @Override
        List<String> backwardInputs(List<String> inputs, String output, String gradient) {
            return List.of(inputs.get(0), inputs.get(1), gradient);
        }

        @Override
        Runnable forward(INDArray[] a, float number) {
            Numbers[] n = numbers(a);
            return () -> SwiGluKernel.forward(n[0], n[1], n[2], n[2].length());
        }

        @Override
        Runnable backward(INDArray[] a, float number) {
            Numbers[] n = numbers(a);
            return () -> SwiGluKernel.backward(n[0], n[1], n[2], n[3], n[4], n[2].length());
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

    /**
     * Whether kernels can run: they can address the backend's arrays, the JVM was started with the Vector API, and they are
     * not switched off.
     */
    public static boolean available() {
        return Backend.active().sharesMemory()
                && ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                && !"off".equals(System.getProperty(SWITCH));
    }

    static Optional<Kernel> ofScope(String scope) {
        return Arrays.stream(values())
                .filter(kernel -> kernel.scope().equals(scope))
                .findFirst();
    }

    /** Whether it can run, where kernels can. */
    boolean usable() {
        return true;
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

    /** Which inputs, of the kernel or of its gradient, it would rather read as bfloat16. */
    Set<Integer> bf16Inputs(boolean backward) {
        return Set.of();
    }

    /** Which of them it reads so, too, where the model is large: see {@link Precision#isWide}. */
    Set<Integer> bf16InputsOfLarge() {
        return Set.of();
    }

    /** Whether it, or its gradient, can write bfloat16. */
    boolean writesBf16(boolean backward) {
        return false;
    }

    /** Whether it can keep something large for its gradient, which reads it last; else that is computed again. */
    boolean canKeep() {
        return false;
    }

    /** The elements of what it keeps. */
    long keptElements(INDArray[] inputs, float number) {
        throw new UnsupportedOperationException(name());
    }

    /** Whether it, or its gradient, takes a further input that it adds to its output. */
    boolean adds(boolean backward) {
        return false;
    }

    /** How many outputs the gradient has beside the gradients. */
    int backwardSpaces() {
        return 0;
    }

    /** The shapes of the gradient's outputs beside the gradients: what the kernel needs while it runs. */
    List<long[]> backwardSpace(INDArray[] inputs) {
        return List.of();
    }

    /** @param a the inputs, then the output */
    abstract Runnable forward(INDArray[] a, float number);

    /** @param a {@link #backwardInputs}, then the gradients, then {@link #backwardSpace} */
    abstract Runnable backward(INDArray[] a, float number);

    private static Numbers[] numbers(INDArray[] arrays) {
        return Arrays.stream(arrays).map(NativeArrays::numbers).toArray(Numbers[]::new);
    }
}
