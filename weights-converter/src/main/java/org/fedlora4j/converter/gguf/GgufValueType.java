package org.fedlora4j.converter.gguf;

import java.util.Arrays;
import java.util.Optional;

/** The types of metadata, with their numbers in the file ({@code enum gguf_type} of ggml's gguf.h). */
enum GgufValueType {
    UINT8(0, 1),
    INT8(1, 1),
    UINT16(2, 2),
    INT16(3, 2),
    UINT32(4, 4),
    INT32(5, 4),
    FLOAT32(6, 4),
    BOOL(7, 1),
    STRING(8, 8),
    ARRAY(9, 12),
    UINT64(10, 8),
    INT64(11, 8),
    FLOAT64(12, 8);

    private static final GgufValueType[] TYPES = values();

    private final int number;
    private final int leastBytes;

    GgufValueType(int number, int leastBytes) {
        this.number = number;
        this.leastBytes = leastBytes;
    }

    /** The type of a number, if there is one. */
    static Optional<GgufValueType> of(int number) {
        return Arrays.stream(TYPES).filter(type -> type.number == number).findFirst();
    }

    int number() {
        return number;
    }

    /** Bytes of a number; of a text or an array, those of one without content. */
    int leastBytes() {
        return leastBytes;
    }
}
