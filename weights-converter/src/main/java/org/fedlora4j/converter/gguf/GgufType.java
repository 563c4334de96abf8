package org.fedlora4j.converter.gguf;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.weights.ElementType;

/** The types of tensors that are read, with their numbers in the file ({@code enum ggml_type} of ggml.h). */
public enum GgufType {
    F32(0, 1, Float.BYTES, ElementType.F32),
    F16(1, 1, Short.BYTES, ElementType.F16),
    BF16(30, 1, Short.BYTES, ElementType.BF16),
    /** 32 signed bytes, times a scale in F16. */
    Q8_0(8, 32, 34, ElementType.F32),
    /** 32 numbers of 4 bits less 8, times a scale in F16. */
    Q4_0(2, 32, 18, ElementType.F32),
    /** 32 numbers of 4 bits, times a scale in F16, plus a minimum in F16. */
    Q4_1(3, 32, 20, ElementType.F32);

    /** All types of ggml by their numbers; those that were removed from it have no name. */
    private static final List<String> NAMES = List.of(
            "F32", "F16", "Q4_0", "Q4_1", "", "", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
            "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16",
            "I32", "I64", "F64", "IQ1_M", "BF16", "", "", "", "TQ1_0", "TQ2_0", "", "", "", "MXFP4");

    private final int number;
    private final int blockElements;
    private final int blockBytes;
    private final ElementType exact;

    GgufType(int number, int blockElements, int blockBytes, ElementType exact) {
        this.number = number;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
        this.exact = exact;
    }

    /**
     * The type of a number.
     *
     * @param place for the message
     * @throws BadInputException if there is no such type, or it is not read
     */
    static GgufType of(int number, String place) {
        for (GgufType type : values()) {
            if (type.number == number) {
                return type;
            }
        }
        boolean known =
                number >= 0 && number < NAMES.size() && !NAMES.get(number).isEmpty();
        throw new BadInputException(place + " is " + (known ? NAMES.get(number) : "of type " + number) + "; wanted "
                + Arrays.stream(values()).map(GgufType::name).collect(Collectors.joining(", ")));
    }

    int number() {
        return number;
    }

    /** Elements that are stored together, in rows that hold a multiple of them. */
    public int blockElements() {
        return blockElements;
    }

    /** The smallest type that holds the values exactly. */
    public ElementType exact() {
        return exact;
    }

    public boolean isQuantised() {
        return blockElements > 1;
    }

    /**
     * Bytes of so many elements.
     *
     * @param elements a multiple of {@link #blockElements}
     * @throws ArithmeticException if these are 2^63 or more
     */
    public long bytes(long elements) {
        return Math.multiplyExact(elements / blockElements, blockBytes);
    }
}
