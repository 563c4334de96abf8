package org.fedlora4j.tokenizer;

import java.util.Arrays;
import java.util.Optional;

/** What a token of a vocabulary is for, with the numbers of SentencePiece and GGUF. */
enum TokenType {
    NORMAL(1),
    UNKNOWN(2),
    /** Bos, eos and the like: special, never the result of a text. */
    CONTROL(3),
    /** Found in a text before anything else. */
    USER_DEFINED(4),
    /** Fills the vocabulary up, never the result of a text. */
    UNUSED(5),
    /** One byte, for characters that the vocabulary lacks: {@code <0x0A>}. */
    BYTE(6);

    private final int number;

    TokenType(int number) {
        this.number = number;
    }

    static Optional<TokenType> of(int number) {
        return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
    }

    int number() {
        return number;
    }

    boolean isSpecial() {
        return this == UNKNOWN || this == CONTROL;
    }
}
