package org.fedlora4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.tokenizer.SentencePieceVocabulary.Piece;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class GgufVocabularyTest {
    private static final Path FILE = Path.of("model.gguf");

    @TempDir
    Path folder;

    /**
     * SmolLM2 was trained with digits apart (llama.cpp's {@code smollm}; no token of its vocabulary joins a digit with
     * anything). The {@code tokenizer.json} beside its GGUF lacks that step, which shows only where blanks or line
     * breaks stand before a digit that no merge joins with them.
     */
    @Test
    @Tag("real")
    void smollm2sGgufEncodesAsItsTokenizerJsonWithDigitsApart() throws IOException {
        Path written = folder.resolve("written");
        Path apart = folder.resolve("apart");
        for (Path path : List.of(written, apart)) {
            Files.createDirectory(path);
        }
        GgufMetadata.vocabulary(Real.SMOLLM2.resolve("model.gguf")).write(written);
        ObjectNode json = JsonFile.read(Real.SMOLLM2.resolve("tokenizer.json"));
        JsonNode byteLevel = json.get("pre_tokenizer");
        json.putObject("pre_tokenizer")
                .put("type", "Sequence")
                .putArray("pretokenizers")
                .add(TokenizerJson.parse("{\"type\": \"Digits\", \"individual_digits\": true}"))
                .add(byteLevel);
        Files.writeString(apart.resolve("tokenizer.json"), json.toString());
        Files.copy(Real.SMOLLM2.resolve("tokenizer_config.json"), apart.resolve("tokenizer_config.json"));

        List<String> texts = new ArrayList<>(Real.goldenTexts());
        texts.addAll(Real.instructions());
        try (Tokenizer fromGguf = Tokenizer.open(written);
                Tokenizer digitsApart = Tokenizer.open(apart);
                Tokenizer own = Tokenizer.open(Real.SMOLLM2)) {
            assertThat(texts).hasSizeGreaterThan(240).allSatisfy(text -> {
                int[] ids = fromGguf.encode(text);
                assertThat(ids).isEqualTo(digitsApart.encode(text));
                assertThat(fromGguf.decode(ids)).isEqualTo(text);
            });
            assertThat(texts.stream().filter(text -> !Arrays.equals(fromGguf.encode(text), own.encode(text))))
                    .containsExactly("ied 4 ½ months");

            String chat = "<|im_start|>user\nHi<|im_end|>\n";
            assertThat(fromGguf.encode(chat)).isEqualTo(own.encode(chat));
            assertThat(fromGguf.encodeWithSpecialTokens(chat)).isEqualTo(own.encodeWithSpecialTokens(chat));
            assertThat(fromGguf.bosId()).isEqualTo(own.bosId());
            assertThat(fromGguf.eosId()).isEqualTo(own.eosId());
            assertThat(fromGguf.padId()).isEqualTo(own.padId());
            assertThat(fromGguf.opening()).isEmpty();
            assertThat(fromGguf.vocabularySize()).isEqualTo(own.vocabularySize());
        }
        assertThat(written.resolve("chat_template.jinja")).content().contains("<|im_start|>assistant");
    }

    /** As llama.cpp's converter writes them: pieces with scores and types. */
    @Test
    @Tag("real")
    void llama2sPiecesEncodeTheGoldenTexts() throws IOException {
        sentencePiece(SentencePieceModel.read(Real.LLAMA2.resolve("tokenizer.model"))
                        .vocabulary()
                        .pieces())
                .write(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            Real.assertEncodes(tokenizer, Real.golden(Real.LLAMA2));
            assertThat(tokenizer.opening()).containsExactly(1);
        }
    }

    @Test
    @Tag("real")
    void deepSeeksTokensEncodeTheGoldenTexts() throws IOException {
        ObjectNode official = JsonFile.read(Real.DEEPSEEK.resolve("tokenizer.json"));
        JsonNode added = official.get("added_tokens");
        String[] tokens = new String[100_015];
        int[] types = new int[tokens.length];
        Arrays.fill(types, 1);
        official.at("/model/vocab")
                .properties()
                .forEach(token -> tokens[token.getValue().intValue()] = token.getKey());
        for (JsonNode token : added) {
            tokens[token.get("id").intValue()] = token.get("content").textValue();
            types[token.get("id").intValue()] = token.get("special").booleanValue() ? 3 : 4;
        }
        List<String> merges = new ArrayList<>();
        official.at("/model/merges").forEach(merge -> merges.add(merge.textValue()));
        byteLevel("deepseek-llm", List.of(tokens), types, merges).write(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            Real.assertEncodes(tokenizer, Real.golden(Real.DEEPSEEK));
        }
    }

    /** A vocabulary that merges whatever it is given in one piece shows where texts are split. */
    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "default, ab'sab 1234 a!?ab, ab|'|sab| |123|4| a|!?|ab",
                "gpt-2, ab'sab 1234 a!?ab, ab|'s|ab| 1234| a|!?|ab",
                "smollm, ab'sab 1234 a!?ab, ab|'s|ab| |1|2|3|4| a|!?|ab",
                "smollm2, ab'sab 1234 a!?ab, ab|'s|ab| |1|2|3|4| a|!?|ab",
                "llama-bpe, ab'Sab 1234 a!?ab, ab|'S|ab| |123|4| a|!?|ab",
                "llama3, ab'Sab 1234 a!?ab, ab|'S|ab| |123|4| a|!?|ab",
                "llama-v3, ab'Sab 1234 a!?ab, ab|'S|ab| |123|4| a|!?|ab",
                "deepseek-llm, ab'sab 1234 a!?ab, ab|'|sab| |1|2|3|4| a|!?|ab"
            })
    void splitsAsTheNamedPreTokenizer(String pre, String text, String words) throws IOException {
        List<String> tokens = new ArrayList<>(bytes());
        Set<String> merges = new LinkedHashSet<>();
        for (String word : List.of("Ġ1234", "Ġa!?ab", "ab'sab", "ab'Sab")) {
            for (int start = 0; start < word.length(); start++) {
                for (int end = start + 2; end <= word.length(); end++) {
                    for (int cut = start + 1; cut < end; cut++) {
                        merges.add(word.substring(start, cut) + " " + word.substring(cut, end));
                    }
                }
            }
        }
        merges.stream().map(merge -> merge.replace(" ", "")).distinct().forEach(tokens::add);
        tokens.add("<end>");
        byteLevel(pre, tokens, types(tokens.size(), 3), List.copyOf(merges)).write(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(Arrays.stream(tokenizer.encode(text)).mapToObj(id -> tokenizer.decode(new int[] {id})))
                    .containsExactly(words.split("\\|"));
        }
    }

    @Test
    void llama3TakesWholeWordsWithoutMergesAndOpensWithBos() throws IOException {
        List<String> tokens = new ArrayList<>(bytes());
        tokens.addAll(List.of("abc", "<end>"));
        byteLevel("llama-bpe", tokens, types(tokens.size(), 3), List.of()).write(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.encode("abc")).containsExactly(256);
            assertThat(tokenizer.opening()).containsExactly(257);
            assertThat(tokenizer.encode("<end>")).doesNotContain(257);
            assertThat(tokenizer.encodeWithSpecialTokens("abc<end>")).containsExactly(257, 256, 257);
        }
        byteLevel("gpt-2", tokens, types(tokens.size(), 3), List.of()).write(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.encode("abc")).hasSize(3);
            assertThat(tokenizer.opening()).isEmpty();
        }
    }

    @Test
    void specialTokensInATextAreText() throws IOException {
        sentencePiece(TinySentencePiece.pieces()).write(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.encode("<s></s><unk>")).doesNotContain(0, 1, 2);
            assertThat(tokenizer.decode(tokenizer.encode("<s></s><unk>"))).isEqualTo("<s></s><unk>");
            assertThat(tokenizer.encodeWithSpecialTokens("</s>")).containsExactly(1, 2);
        }
    }

    @Test
    void settingsOfTheFilePrevail() throws IOException {
        GgufVocabulary usual = sentencePiece(TinySentencePiece.pieces());
        new GgufVocabulary(
                        FILE,
                        "llama",
                        "default",
                        usual.tokens(),
                        usual.scores(),
                        usual.types(),
                        List.of(),
                        OptionalInt.of(1),
                        OptionalInt.of(2),
                        OptionalInt.of(0),
                        OptionalInt.of(0),
                        Optional.of(false),
                        Optional.of(false),
                        Optional.of("{{ messages }}"))
                .write(folder);
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.opening()).isEmpty();
            assertThat(tokenizer.padId()).isZero();
            assertThat(tokenizer.encode("a")).containsExactly(TinySentencePiece.id("a"));
        }
        assertThat(folder.resolve("chat_template.jinja")).hasContent("{{ messages }}");
    }

    static Stream<Runnable> contradictions() {
        List<String> tokens = List.of("a", "b", "ab");
        return Stream.of(
                () -> byteLevel("gpt-2", tokens, new int[2], List.of()),
                () -> byteLevel("gpt-2", tokens, new int[] {1, 1, 7}, List.of()),
                () -> byteLevel("gpt-2", List.of(), new int[0], List.of()));
    }

    @ParameterizedTest
    @MethodSource("contradictions")
    void refusesContradictions(Runnable making) {
        assertThatThrownBy(making::run)
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("model.gguf: tokenizer.ggml.")
                .hasMessageContaining("wanted");
    }

    @Test
    void refusesOtherKinds() {
        List<String> tokens = List.of("a", "b", "ab");
        int[] types = {1, 1, 1};
        assertRefused(byteLevel("qwen2", tokens, types, List.of()), "tokenizer.ggml.pre is \"qwen2\", wanted one of");
        assertRefused(
                of("bert", "default", tokens, types, List.of()), "tokenizer.ggml.model is \"bert\", wanted llama or");
        assertRefused(of("llama", "default", tokens, types, List.of()), "tokenizer.ggml.scores has 0 entries");
        for (String merge : List.of("ab", "a b ", "a c", "b a", " a", "")) {
            assertRefused(
                    byteLevel("gpt-2", tokens, types, List.of("a b", merge)),
                    "tokenizer.ggml.merges 1 is \"" + merge + "\"");
        }
        assertRefused(
                byteLevel("gpt-2", List.of("a", "b", "a"), types, List.of()),
                "tokenizer.ggml.tokens 0 and 2 are both \"a\"");
        List<Piece> pieces = TinySentencePiece.pieces();
        pieces.remove(100);
        assertRefused(sentencePiece(pieces), "tokenizer.ggml.tokens lack the byte <0x61>");
    }

    private void assertRefused(GgufVocabulary vocabulary, String message) {
        assertThatThrownBy(() -> vocabulary.write(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("model.gguf: " + message);
        assertThat(folder).isEmptyDirectory();
    }

    private static GgufVocabulary sentencePiece(List<Piece> pieces) {
        float[] scores = new float[pieces.size()];
        for (int id = 0; id < scores.length; id++) {
            scores[id] = pieces.get(id).score();
        }
        return new GgufVocabulary(
                FILE,
                "llama",
                "default",
                pieces.stream().map(Piece::text).toList(),
                scores,
                pieces.stream().mapToInt(piece -> piece.type().number()).toArray(),
                List.of(),
                OptionalInt.of(1),
                OptionalInt.of(2),
                OptionalInt.of(0),
                OptionalInt.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private static GgufVocabulary byteLevel(String pre, List<String> tokens, int[] types, List<String> merges) {
        return of("gpt2", pre, tokens, types, merges);
    }

    /** bos and eos are the last token. */
    private static GgufVocabulary of(String model, String pre, List<String> tokens, int[] types, List<String> merges) {
        OptionalInt last = OptionalInt.of(tokens.size() - 1);
        return new GgufVocabulary(
                FILE,
                model,
                pre,
                tokens,
                new float[0],
                types,
                merges,
                last,
                last,
                OptionalInt.empty(),
                OptionalInt.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private static int[] types(int length, int last) {
        int[] types = new int[length];
        Arrays.fill(types, 1);
        types[length - 1] = last;
        return types;
    }

    /** The character that byte-level BPE writes for each byte. */
    private static List<String> bytes() {
        List<String> characters = new ArrayList<>();
        int others = 0;
        for (int value = 0; value < 256; value++) {
            boolean printable = (value > 32 && value < 127) || (value > 160 && value != 173);
            characters.add(Character.toString(printable ? value : 256 + others++));
        }
        return characters;
    }
}
