package org.fedlora4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextStreamTest {
    @Test
    void whatMayBecomeAStopTextIsHeldBack(@TempDir Path folder) throws IOException {
        tiny(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(pieces(tokenizer, "abcab", "ca")).containsExactly("a", "b", "", "", "");
            assertThat(pieces(tokenizer, "abcbab", "ca")).containsExactly("a", "b", "", "cb", "a", "b", "");
            assertThat(pieces(tokenizer, "aabc", "aac", "abd")).containsExactly("", "", "a", "abc", "");
            assertThat(pieces(tokenizer, "aac", "aab", "ad")).containsExactly("", "", "aac", "");
            assertThat(pieces(tokenizer, "abab")).containsExactly("a", "b", "a", "b", "");
            assertThat(pieces(tokenizer, "abab", "babab")).containsExactly("a", "", "", "", "bab");
            assertThatThrownBy(() -> new TextStream(tokenizer, List.of("a", "")))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("stop: an empty text, wanted at least one character");
        }
    }

    @Test
    void aTextThatStoppedStaysSo(@TempDir Path folder) throws IOException {
        tiny(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            TextStream stream = new TextStream(tokenizer, List.of("b"));
            assertThat(stream.next(0)).isEqualTo("a");
            assertThat(stream.isStopped()).isFalse();
            assertThat(stream.next(1)).isEmpty();
            assertThat(stream.isStopped()).isTrue();
            assertThat(stream.next(2)).isEmpty();
            assertThat(stream.end()).isEmpty();
        }
    }

    /** Token by token, each of these texts comes out as when it is decoded at once, and no character in parts. */
    @Test
    @Tag("real")
    void realTextsComeOutWholeOnceEach() throws IOException {
        for (Path model : List.of(Real.LLAMA2, Real.DEEPSEEK, Real.SMOLLM2)) {
            try (Tokenizer tokenizer = Tokenizer.open(model)) {
                for (String text : Real.goldenTexts()) {
                    int[] ids = tokenizer.encode(text);
                    TextStream stream = new TextStream(tokenizer, List.of());
                    StringBuilder shown = new StringBuilder();
                    for (int id : ids) {
                        String piece = stream.next(id);
                        assertThat(piece).as("%s: %s", model, text).doesNotContain("\uFFFD");
                        shown.append(piece);
                    }
                    shown.append(stream.end());
                    assertThat(shown.toString()).as(model.toString()).isEqualTo(tokenizer.decode(ids));
                }
            }
        }
    }

    private static void tiny(Path folder) throws IOException {
        TinyTokenizer.write(folder);
        Files.writeString(folder.resolve("config.json"), "{\"eos_token_id\": 7}");
    }

    /** What each token of a text gives, and then its end, up to the one that stops it. */
    private static List<String> pieces(Tokenizer tokenizer, String text, String... stops) {
        TextStream stream = new TextStream(tokenizer, List.of(stops));
        List<String> pieces = new ArrayList<>();
        for (int id : tokenizer.encode(text)) {
            pieces.add(stream.next(id));
            if (stream.isStopped()) {
                break;
            }
        }
        pieces.add(stream.end());
        return pieces;
    }
}
