package org.fedlora4j.tokenizer;

/** What a token of a vocabulary is for, numbered from 1 as SentencePiece and GGUF do. */
enum TokenType {
    NORMAL,
    UNKNOWN,
    /** Bos, eos and the like: special, never the result of a text. */
    CONTROL,
    /** Found in a text before anything else. */
    USER_DEFINED,
    /** Fills the vocabulary up, never the result of a text. */
    UNUSED,
    /** One byte, for characters that the vocabulary lacks: {@code <0x0A>}. */
    BYTE;

    private static final TokenType[] TYPES = values();

    static boolean isNumber(int number) {
        return number >= 1 && number <= TYPES.length;
    }

    /** @param number 1 to 6, see {@link #isNumber} */
    static TokenType ofNumber(int number) {
        return TYPES[number - 1];
    }

    boolean isSpecial() {
        return this == UNKNOWN || this == CONTROL;
    }
}
