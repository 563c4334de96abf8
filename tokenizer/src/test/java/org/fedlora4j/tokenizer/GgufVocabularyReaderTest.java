package org.fedlora4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.tokenizer.SentencePieceVocabulary.Piece;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufVocabularyReaderTest {
    @TempDir
    Path folder;

    /** Into GGUF's terms and out again: every text keeps its ids. */
    private void assertKeepsIds(Path source, GgufVocabulary vocabulary) throws IOException {
        Path written = Files.createDirectory(folder.resolve("written"));
        vocabulary.write(written);
        try (Tokenizer wanted = Tokenizer.open(source);
                Tokenizer found = Tokenizer.open(written)) {
            for (String text : Real.goldenTexts()) {
                assertThat(found.encode(text)).as(text).isEqualTo(wanted.encode(text));
                assertThat(found.encodeWithSpecialTokens(text)).isEqualTo(wanted.encodeWithSpecialTokens(text));
            }
            assertThat(found.bosId()).isEqualTo(wanted.bosId());
            assertThat(found.eosId()).isEqualTo(wanted.eosId());
            assertThat(found.padId()).isEqualTo(wanted.padId());
            assertThat(found.opening()).isEqualTo(wanted.opening());
            assertThat(found.vocabularySize()).isEqualTo(wanted.vocabularySize());
        }
    }

    private static GgufVocabulary read(Path source) throws IOException {
        return GgufVocabulary.read(source).orElseThrow();
    }

    @Test
    @Tag("real")
    void smollm2IsByteLevelOfGpt2sKind() throws IOException {
        GgufVocabulary vocabulary = read(Real.SMOLLM2);
        assertThat(vocabulary.model()).isEqualTo("gpt2");
        assertThat(vocabulary.pre()).isEqualTo("gpt-2");
        assertThat(vocabulary.unknown()).isEqualTo(OptionalInt.of(0));
        assertThat(vocabulary.addBos()).contains(false);
        assertThat(vocabulary.chatTemplate()).contains(Files.readString(Real.SMOLLM2.resolve("chat_template.jinja")));
        GgufVocabulary wanted = GgufMetadata.vocabulary(Real.SMOLLM2.resolve("model.gguf"));
        assertThat(vocabulary.tokens()).isEqualTo(wanted.tokens());
        assertThat(vocabulary.types()).isEqualTo(wanted.types());
        assertThat(vocabulary.merges()).isEqualTo(wanted.merges());
        assertKeepsIds(Real.SMOLLM2, vocabulary);
    }

    @Test
    @Tag("real")
    void deepSeekIsByteLevelOfItsOwnKind() throws IOException {
        GgufVocabulary vocabulary = read(Real.DEEPSEEK);
        assertThat(vocabulary.pre()).isEqualTo("deepseek-llm");
        assertThat(vocabulary.addBos()).contains(true);
        assertKeepsIds(Real.DEEPSEEK, vocabulary);
    }

    /** tokenizer.model holds scores; from tokenizer.json alone they follow from the order of the merges. */
    @ParameterizedTest
    @ValueSource(strings = {"tokenizer.json tokenizer.model", "tokenizer.model", "tokenizer.json"})
    @Tag("real")
    void llama2IsSentencePiece(String files) throws IOException {
        Path source = Files.createDirectory(folder.resolve("source"));
        for (String file : List.of("tokenizer.json", "tokenizer.model", "tokenizer_config.json")) {
            if (file.equals("tokenizer_config.json") || files.contains(file)) {
                Files.copy(Real.LLAMA2.resolve(file), source.resolve(file));
            }
        }
        GgufVocabulary vocabulary = read(source);
        assertThat(vocabulary.model()).isEqualTo("llama");
        assertThat(vocabulary.addSpacePrefix()).contains(true);
        List<Piece> pieces = SentencePieceModel.read(Real.LLAMA2.resolve("tokenizer.model"))
                .vocabulary()
                .pieces();
        assertThat(vocabulary.tokens())
                .isEqualTo(pieces.stream().map(Piece::text).toList());
        assertThat(vocabulary.types())
                .isEqualTo(
                        pieces.stream().mapToInt(piece -> piece.type().number()).toArray());
        if (files.contains("model")) {
            for (int id = 0; id < pieces.size(); id++) {
                assertThat(vocabulary.scores()[id]).isEqualTo(pieces.get(id).score());
            }
        }
        assertKeepsIds(Real.LLAMA2, vocabulary);
    }

    /** Without special tokens: a, b and what merges make of them. */
    private static ObjectNode json() {
        return TokenizerJson.parse("""
                {"added_tokens": [{"id": 4, "content": "[user]", "special": false}, {"id": 5, "content": "</s>", "special": true}],
                 "normalizer": {"type": "Sequence", "normalizers": []},
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false},
                 "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "aba": 3}, "merges": [["a", "b"], "ab a"]}}""");
    }

    @Test
    void readsTokensTypesAndMerges() throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), json().toString());
        GgufVocabulary vocabulary = read(folder);
        assertThat(vocabulary.pre()).isEqualTo("gpt-2");
        assertThat(vocabulary.tokens()).containsExactly("a", "b", "ab", "aba", "[user]", "</s>");
        assertThat(vocabulary.types()).containsExactly(1, 1, 1, 1, 4, 3);
        assertThat(vocabulary.merges()).containsExactly("a b", "ab a");
        assertThat(vocabulary.eos()).isEmpty();

        GgufVocabulary padded = vocabulary.paddedTo(8);
        assertThat(padded.tokens()).endsWith("</s>", "[PAD6]", "[PAD7]");
        assertThat(padded.types()).containsExactly(1, 1, 1, 1, 4, 3, 5, 5);
        assertThat(padded.scores()).isEmpty();
    }

    @Test
    void readsASmallTokenizerModel() throws IOException {
        TinySentencePiece.write(folder);
        GgufVocabulary vocabulary = read(folder);
        List<Piece> pieces = TinySentencePiece.pieces();
        assertThat(vocabulary.bos()).isEqualTo(OptionalInt.of(TinySentencePiece.BOS));
        assertThat(vocabulary.eos()).isEqualTo(OptionalInt.of(TinySentencePiece.EOS));
        assertThat(vocabulary.addBos()).contains(true);
        for (int id = 0; id < pieces.size(); id++) {
            assertThat(vocabulary.scores()[id]).isEqualTo(pieces.get(id).score());
            assertThat(vocabulary.types()[id])
                    .as(pieces.get(id).text())
                    .isEqualTo(pieces.get(id).type().number());
        }
        float[] scores = vocabulary.paddedTo(pieces.size() + 1).scores();
        assertThat(scores[pieces.size()]).isEqualTo(-10_000);
        assertThat(Arrays.copyOf(scores, pieces.size())).isEqualTo(vocabulary.scores());
    }

    @Test
    void aFolderMayHaveNoTokenizer() throws IOException {
        assertThat(GgufVocabulary.read(folder)).isEmpty();
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                refused(
                        "are of no kind that GGUF has a name for",
                        json -> json.putObject("normalizer").put("type", "NFC")),
                refused(
                        "are of no kind that GGUF has a name for",
                        json -> json.putObject("pre_tokenizer").put("type", "Whitespace")),
                refused("are of no kind", json -> ((ObjectNode) json.get("model")).put("ignore_merges", true)),
                refused(
                        "\"b\" has the id 7, wanted ids without gaps",
                        json -> ((ObjectNode) json.at("/model/vocab")).put("b", 7)),
                refused(
                        "has the id 0, wanted ids without gaps, each once",
                        json -> ((ObjectNode) json.at("/model/vocab")).put("b", 0)),
                refused("model.merges 1 makes \"aba\" between those of another", json -> {
                    sentencePiece(json);
                    ((ObjectNode) json.get("model"))
                            .putArray("merges")
                            .add("a b")
                            .add("ab a")
                            .add("a b");
                }));
    }

    private static void sentencePiece(ObjectNode json) {
        json.putNull("normalizer");
        json.putObject("pre_tokenizer")
                .put("type", "Metaspace")
                .put("replacement", "▁")
                .put("prepend_scheme", "first")
                .put("split", false);
    }

    private static Arguments refused(String message, Consumer<ObjectNode> change) {
        return Arguments.of(message, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void refusesWhatGgufCannotSay(String message, Consumer<ObjectNode> change) throws IOException {
        ObjectNode json = json();
        change.accept(json);
        Files.writeString(folder.resolve("tokenizer.json"), json.toString());
        assertThatThrownBy(() -> GgufVocabulary.read(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("tokenizer.json: ")
                .hasMessageContaining(message);
    }

    /** Cut off anywhere, or with changed bytes, a tokenizer is read or refused. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void brokenFilesAreRefused(boolean sentencePiece) throws IOException {
        ObjectNode json = json();
        if (sentencePiece) {
            sentencePiece(json);
        }
        byte[] whole = json.toString().getBytes(StandardCharsets.UTF_8);
        for (int length = 0; length < whole.length; length++) {
            byte[] prefix = Arrays.copyOf(whole, length);
            assertThat(isRead(prefix)).as("%d bytes", length).isFalse();
        }
        assertThat(isRead(whole)).isTrue();
        long seed = 20_261_123;
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 2000; i++) {
            byte[] flipped = whole.clone();
            for (int flips = random.nextInt(3); flips >= 0; flips--) {
                flipped[random.nextInt(flipped.length)] ^= (byte) (1 + random.nextInt(255));
            }
            isRead(flipped);
        }
    }

    private boolean isRead(byte[] json) throws IOException {
        Files.write(folder.resolve("tokenizer.json"), json);
        try {
            read(folder).paddedTo(16);
            return true;
        } catch (BadInputException e) {
            assertThat(e).hasMessageContaining("tokenizer.json").hasMessageNotContaining("\n");
            return false;
        }
    }

    @Test
    void aTokenThatIsAddedTwiceHasItsLastId() throws IOException {
        ObjectNode json = json();
        ((ArrayNode) json.get("added_tokens")).insertObject(0).put("id", 99).put("content", "</s>");
        Files.writeString(folder.resolve("tokenizer.json"), json.toString());
        assertThat(read(folder).types()).containsExactly(1, 1, 1, 1, 4, 3);
    }
}
