package org.fedlora4j.model.exec;

import java.util.Locale;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.kernels.Product;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The type of what products multiply. Sums, and everything else, are float32 always.
 */
public enum Precision {
    F32,
    /** On CPUs with AMX. */
    BF16,
    /** On GPUs. */
    F16;

    static {
        // What can be had is asked of oneDNN, which is loaded through JavaCPP.
        NativeRuntime.ensure();
    }

    /** Below it products with a norm's value in two parts cost a fifth of a step, from it on a third. */
    private static final int LARGE_WIDTH = 2048;

    /** Products of what ND4J's CUDA release passes on to cuBLAS. */
    private static final String ON_CUDA = "this release of ND4J has no cuBLAS products of bf16, only of f32 and f16";

    /**
     * Whether products read a weight [out, in] as it is: float32 products widen 16 bits on the way, exactly, where oneDNN
     * can.
     */
    public boolean reads(INDArray weight) {
        DataType type = weight.dataType();
        return switch (this) {
            case F32 ->
                type == DataType.FLOAT
                        || (ProductStep.available()
                                && Product.isFast(
                                        Product.Type.F32,
                                        Math.toIntExact(weight.size(1)),
                                        NativeArrays.productType(weight)));
            case BF16 -> type == DataType.BFLOAT16;
            case F16 -> type == DataType.FLOAT16;
        };
    }

    /**
     * Whether products multiply what matters most, a norm's value, queries and keys, in two parts, rounded and what that left
     * over, as those of bf16 do where the model is small; in a large one each is rounded once, as PyTorch's autocast does.
     *
     * @param width D, the model's hidden size, or the queries'
     */
    public boolean isWide(long width) {
        return this == BF16 && width < LARGE_WIDTH;
    }

    /** The type of weights that were cast for products. */
    public DataType weights() {
        return switch (this) {
            case F32 -> DataType.FLOAT;
            case BF16 -> DataType.BFLOAT16;
            case F16 -> DataType.FLOAT16;
        };
    }

    /** As settings spell it: {@code f32}, {@code bf16}, {@code f16}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** A precision and why it is the one. */
    public record Choice(Precision precision, String reason) {}

    /**
     * The precision for a setting, on this machine.
     *
     * @param setting {@code auto}, {@code f32}, {@code bf16} or {@code f16}
     * @throws BadInputException if the setting is another, or if what it asks for, or the backend, can't be had here
     */
    public static Choice choose(String setting) {
        return Backend.active() == Backend.CUDA
                ? chooseOnCuda(setting)
                : choose(setting, refusal(Product.failure(), Product.hasAmx(), Kernel.available()));
    }

    /** Why bf16 is not to be had, or null where it is: without AMX it would be slower than f32. */
    static @Nullable String refusal(@Nullable String productFailure, boolean amx, boolean kernels) {
        if (productFailure != null) {
            return productFailure;
        }
        if (!amx) {
            return "bf16 products are slower than f32 ones without AMX";
        }
        return kernels ? null : "the JVM was started without the Vector API, or kernels are switched off";
    }

    /** The choice where bf16 is refused for a reason, or not. */
    static Choice choose(String setting, @Nullable String refusal) {
        return switch (setting) {
            case "auto" ->
                refusal == null
                        ? new Choice(BF16, "products of bf16 are the fastest here: the CPU has AMX")
                        : new Choice(F32, refusal);
            case "f32" -> new Choice(F32, "asked for");
            case "bf16" -> {
                if (refusal != null) {
                    throw new BadInputException(
                            "precision: bf16 can't be had here: " + refusal + "; wanted auto or f32");
                }
                yield new Choice(BF16, "asked for");
            }
            case "f16" ->
                throw new BadInputException(
                        "precision: f16 can't be had here: its products run on GPUs only; wanted auto,"
                                + " f32 or bf16");
            default -> throw unknown(setting);
        };
    }

    /** The choice on a GPU, where f16 must be asked for: its products sum in 16 bits. */
    static Choice chooseOnCuda(String setting) {
        return switch (setting) {
            case "auto" -> new Choice(F32, ON_CUDA + "; f16, which sums in 16 bits, must be asked for");
            case "f32" -> new Choice(F32, "asked for");
            case "f16" -> new Choice(F16, "asked for");
            case "bf16" ->
                throw new BadInputException(
                        "precision: bf16 can't be had here: " + ON_CUDA + "; wanted auto, f32 or f16");
            default -> throw unknown(setting);
        };
    }

    private static BadInputException unknown(String setting) {
        return new BadInputException("precision: found " + setting + ", wanted auto, f32, bf16 or f16");
    }
}
