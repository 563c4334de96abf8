package org.fedlora4j.converter;

import java.util.Optional;
import org.fedlora4j.model.weights.ElementType;
import org.jspecify.annotations.Nullable;

/** What a converted model's matrices are stored as. */
public enum WeightType {
    F32(ElementType.F32),
    F16(ElementType.F16),
    BF16(ElementType.BF16),
    /** llama.cpp's 8 bits: blocks of 32 bytes that share a scale; in GGUF only. */
    Q8_0(null);

    private final @Nullable ElementType elements;

    WeightType(@Nullable ElementType elements) {
        this.elements = elements;
    }

    /** The type of single elements, where each stands for itself. */
    Optional<ElementType> elements() {
        return Optional.ofNullable(elements);
    }
}
