package org.fedlora4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.fedlora4j.tokenizer.TinySentencePiece.id;
import static org.fedlora4j.tokenizer.TinySentencePiece.message;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.tokenizer.SentencePieceVocabulary.Piece;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SentencePieceModelTest {
    @TempDir
    Path folder;

    @Test
    @Tag("real")
    void llama2NeedsNothingElse() throws IOException {
        Files.copy(Real.LLAMA2.resolve("tokenizer.model"), folder.resolve("tokenizer.model"));
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            Real.assertEncodes(tokenizer, Real.golden(Real.LLAMA2));
            assertThat(tokenizer.bosId()).hasValue(1);
            assertThat(tokenizer.eosId()).isEqualTo(2);
            assertThat(tokenizer.padId()).as("no pad piece: eos").isEqualTo(2);
            assertThat(tokenizer.opening()).containsExactly(1);
            assertThat(tokenizer.vocabularySize()).isEqualTo(32_000);
            assertThat(tokenizer.encodeWithSpecialTokens("Hello</s>")).containsExactly(1, 15043, 2);
            assertThat(tokenizer.encode("<s>Hello</s>")).doesNotContain(0, 1, 2);
        }
    }

    @Test
    @Tag("real")
    void llama2BecomesItsOwnTokenizerJson() throws IOException {
        ObjectNode made = SentencePieceModel.read(Real.LLAMA2.resolve("tokenizer.model"))
                .vocabulary()
                .toJson();
        ObjectNode official = JsonFile.read(Real.LLAMA2.resolve("tokenizer.json"));
        ArrayNode merges = JsonNodeFactory.instance.arrayNode();
        for (JsonNode merge : official.at("/model/merges")) {
            ArrayNode pair = merges.addArray();
            Arrays.stream(merge.textValue().split(" ")).forEach(pair::add);
        }
        ((ObjectNode) official.get("model")).set("merges", merges);
        assertThat(merges).hasSize(61_249);
        assertThat(made).isEqualTo(official);
    }

    @Test
    void mergesWhatTheScoresPrefer() throws IOException {
        TinySentencePiece.write(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.encode("abc")).as("▁a + bc").containsExactly(id("▁abc"));
            assertThat(tokenizer.encode("babc"))
                    .as("ab comes before bc")
                    .containsExactly(id("▁"), id("b"), id("ab"), id("c"));
            assertThat(tokenizer.encode("é🙂"))
                    .as("the bytes of what no piece holds")
                    .containsExactly(id("▁"), id("<0xC3>"), id("<0xA9>"), id("🙂"));
            assertThat(tokenizer.encode("baa")).as("aa is unused").endsWith(id("a"), id("a"));
            assertThat(tokenizer.encode("b[user]")).endsWith(id("b"), id("[user]"));
            assertThat(tokenizer.decode(tokenizer.encode(" abc  é🙂"))).isEqualTo(" abc  é🙂");
        }
    }

    @Test
    void specialTokensInATextAreText() throws IOException {
        TinySentencePiece.write(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.bosId()).hasValue(TinySentencePiece.BOS);
            assertThat(tokenizer.eosId()).isEqualTo(TinySentencePiece.EOS);
            assertThat(tokenizer.encode("<s>"))
                    .as("its parts are pieces, yet no merge makes it")
                    .containsExactly(id("▁"), id("<"), id("s>"));
            assertThat(tokenizer.encode("<unk>")).doesNotContain(0);
            assertThat(tokenizer.decode(tokenizer.encode("</s><unk><0x41>"))).isEqualTo("</s><unk><0x41>");
            assertThat(tokenizer.encodeWithSpecialTokens("<s>abc</s>"))
                    .containsExactly(TinySentencePiece.BOS, id("▁abc"), TinySentencePiece.EOS);
        }
    }

    @Test
    void rolesComeFromTheModelUnlessAConfigurationSaysOtherwise() throws IOException {
        List<Piece> pieces = TinySentencePiece.pieces();
        pieces.add(new Piece("<begin>", 0, TokenType.CONTROL));
        pieces.add(new Piece("<end>", 0, TokenType.CONTROL));
        pieces.add(new Piece("<pad>", 0, TokenType.CONTROL));
        TinySentencePiece.write(folder, pieces, message(2, fields -> {
            fields.writeString(46, "<begin>");
            fields.writeString(47, "<end>");
        }));
        int begin = pieces.size() - 3;
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.bosId()).hasValue(begin);
            assertThat(tokenizer.eosId()).isEqualTo(begin + 1);
            assertThat(tokenizer.padId()).isEqualTo(begin + 2);
            assertThat(tokenizer.opening()).containsExactly(begin);
        }
        Files.writeString(folder.resolve("config.json"), "{\"eos_token_id\": 2, \"pad_token_id\": 0}");
        Files.writeString(
                folder.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\", \"add_bos_token\": false}");
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.bosId()).hasValue(TinySentencePiece.BOS);
            assertThat(tokenizer.eosId()).isEqualTo(TinySentencePiece.EOS);
            assertThat(tokenizer.padId()).isZero();
            assertThat(tokenizer.opening()).isEmpty();
        }
    }

    @Test
    void doesWithoutTheBlankInFrontIfTheModelDoes() throws IOException {
        TinySentencePiece.write(folder, TinySentencePiece.pieces(), message(3, fields -> fields.writeBool(3, false)));
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.encode("a a")).containsExactly(id("a"), id("▁a"));
            assertThat(tokenizer.decode(tokenizer.encode(" a"))).isEqualTo(" a");
        }
    }

    @Test
    void tokenizerJsonWins() throws IOException {
        TinySentencePiece.write(folder);
        TinyTokenizer.write(folder);
        Files.writeString(folder.resolve("config.json"), "{\"eos_token_id\": 7}");
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.encode("a")).containsExactly(0);
            assertThat(tokenizer.eosId()).isEqualTo(7);
        }
    }

    static Stream<Arguments> otherKinds() {
        return Stream.of(
                Arguments.of(message(2, fields -> fields.writeEnum(3, 1)), "trainer_spec.model_type is 1"),
                Arguments.of(message(2, fields -> fields.writeBool(35, false)), "byte_fallback is false"),
                Arguments.of(message(2, fields -> fields.writeBool(24, true)), "treat_whitespace_as_suffix"),
                Arguments.of(
                        message(3, fields -> fields.writeBytes(2, ByteString.copyFromUtf8("x"))),
                        "precompiled_charsmap"),
                Arguments.of(message(3, fields -> fields.writeBool(4, true)), "remove_extra_whitespaces"),
                Arguments.of(message(3, fields -> fields.writeBool(5, false)), "escape_whitespaces"),
                Arguments.of(message(1, fields -> fields.writeEnum(3, 7)), "pieces 276 has the type 7"),
                Arguments.of(message(1, fields -> fields.writeString(1, "")), "pieces 276 has 0 characters"),
                Arguments.of(message(1, fields -> fields.writeString(1, "x".repeat(257))), "257 characters"),
                Arguments.of(message(1, fields -> fields.writeString(1, "bc")), "pieces 261 and 276 are both \"bc\""),
                Arguments.of(
                        message(1, fields -> {
                            fields.writeString(1, "x");
                            fields.writeFloat(2, Float.NaN);
                        }),
                        "pieces 276 has the score NaN"),
                Arguments.of(message(1, fields -> fields.writeByteArray(1, new byte[] {(byte) 0xff})), "wanted"),
                Arguments.of((TinySentencePiece.Field) out -> out.writeTag(9, 4), "wanted"));
    }

    @ParameterizedTest
    @MethodSource("otherKinds")
    void refusesOtherKinds(TinySentencePiece.Field field, String message) throws IOException {
        TinySentencePiece.write(folder, TinySentencePiece.pieces(), field);
        assertRefused(message);
    }

    @Test
    void refusesAVocabularyWithoutAllBytes() throws IOException {
        UnaryOperator<Piece> asNormal = piece ->
                piece.text().equals("<0xC3>") ? new Piece(piece.text(), piece.score(), TokenType.NORMAL) : piece;
        TinySentencePiece.write(
                folder, TinySentencePiece.pieces().stream().map(asNormal).toList());
        assertRefused("lack the byte <0xC3>");
    }

    @Test
    void refusesWhatIsNoSentencePieceModel() throws IOException {
        // LLaMA 3's original tokenizer.model is a text file.
        write("IQ== 0\nIg== 1\nIw== 2\n".getBytes(StandardCharsets.UTF_8));
        assertRefused("SentencePiece");
        write(new byte[(16 << 20) + 1]);
        assertRefused("16777217 bytes");
        // A piece that claims 2 GB.
        write(new byte[] {10, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 7});
        assertRefused("SentencePiece");
    }

    @Test
    void survivesCutAndChangedFiles() throws IOException {
        TinySentencePiece.write(folder);
        byte[] whole = Files.readAllBytes(folder.resolve("tokenizer.model"));
        assertThat(Hostile.prefixesThatOpen(folder, "tokenizer.model"))
                .as("the end says that blanks are kept")
                .isZero();
        write(whole);
        Hostile.flip(folder, "tokenizer.model", 2_000);
    }

    private void write(byte[] bytes) throws IOException {
        Files.write(folder.resolve("tokenizer.model"), bytes);
    }

    private void assertRefused(String message) {
        assertThatThrownBy(() -> Tokenizer.open(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("tokenizer.model")
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }
}
