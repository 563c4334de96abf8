package org.fedlora4j.benchmark.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.fedlora4j.tokenizer.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ByteTokenizerTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "  two blanks, a tab\tand\r\nlines\n\n",
                "zo tree",
                "Zürich, 東京, Ελλάδα, 🦙🦙",
                "</s> is only text",
                "\u0000\u007f\u00ad\u0100"
            })
    void aTextIsItsBytesAndBack(String text) throws IOException {
        assertRoundTrip(text);
    }

    @Test
    void anyTextOfManyAlphabetsIsItsBytesAndBack() throws IOException {
        long seed = 5;
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder();
        while (text.length() < 5_000) {
            int character = random.nextInt(Character.MAX_CODE_POINT + 1);
            if (Character.getType(character) != Character.SURROGATE) {
                text.appendCodePoint(character);
            }
        }
        assertRoundTrip(text.toString());
    }

    @Test
    void textsOpenWithBosAndEndWithEos() throws IOException {
        try (Tokenizer tokenizer = tokenizer()) {
            assertThat(tokenizer.opening()).containsExactly(ByteTokenizer.BOS);
            assertThat(tokenizer.eosId()).isEqualTo(ByteTokenizer.EOS);
            assertThat(tokenizer.padId()).isEqualTo(ByteTokenizer.EOS);
            assertThat(tokenizer.vocabularySize()).isEqualTo(ByteTokenizer.VOCABULARY_SIZE);
        }
    }

    private void assertRoundTrip(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] wanted = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            wanted[i] = Byte.toUnsignedInt(bytes[i]);
        }
        try (Tokenizer tokenizer = tokenizer()) {
            assertThat(tokenizer.encode(text)).isEqualTo(wanted);
            assertThat(tokenizer.decode(wanted)).isEqualTo(text);
        }
    }

    private Tokenizer tokenizer() throws IOException {
        ByteTokenizer.write(folder);
        return Tokenizer.open(folder);
    }
}
