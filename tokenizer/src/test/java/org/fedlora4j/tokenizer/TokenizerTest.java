package org.fedlora4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.util.Utils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
    private static final Path SHARED = Real.SHARED;
    private static final Path LLAMA2 = Real.LLAMA2;
    private static final Path DEEPSEEK = Real.DEEPSEEK;
    private static final Path SMOLLM2 = Real.SMOLLM2;

    @TempDir
    Path folder;

    @Test
    @Tag("real")
    void encodesTheGoldenTexts() throws IOException {
        for (Path model : List.of(LLAMA2, DEEPSEEK)) {
            try (Tokenizer tokenizer = Tokenizer.open(model)) {
                Real.assertEncodes(tokenizer, Real.golden(model));
            }
        }
    }

    @Test
    @Tag("real")
    void decodesWhatItEncodesHoweverLong() throws IOException {
        List<String> texts = Real.goldenTexts();
        String all = String.join("\n", texts);
        for (Path model : List.of(LLAMA2, DEEPSEEK, SMOLLM2)) {
            try (Tokenizer tokenizer = Tokenizer.open(model)) {
                assertThat(texts)
                        .allSatisfy(text -> assertThat(tokenizer.decode(tokenizer.encode(text)))
                                .isEqualTo(text));
                for (String text : List.of(all.repeat(120), "x".repeat(100_000), " ".repeat(100_000))) {
                    assertThat(text).hasSizeGreaterThanOrEqualTo(100_000);
                    assertThat(tokenizer.decode(tokenizer.encode(text)))
                            .as("%s", model)
                            .isEqualTo(text);
                }
            }
        }
    }

    @Test
    @Tag("real")
    void encodesTheGoldenPrompts() throws IOException {
        JsonNode golden = new ObjectMapper()
                .readTree(SHARED.resolve("golden/smollm2/prompts.json").toFile());
        try (Tokenizer tokenizer = Tokenizer.open(SMOLLM2)) {
            assertThat(golden.get("prompts")).hasSize(6).allSatisfy(prompt -> {
                String text = prompt.get("text").textValue();
                int[] ids = new ObjectMapper().convertValue(prompt.get("ids"), int[].class);
                assertThat(tokenizer.encodeWithSpecialTokens(text)).isEqualTo(ids);
                if (prompt.get("name").textValue().equals("chat")) {
                    assertThat(tokenizer.decode(ids)).isEqualTo(text.replaceAll("<\\|im_(start|end)\\|>", ""));
                } else {
                    assertThat(tokenizer.encode(text)).isEqualTo(ids);
                    assertThat(tokenizer.decode(ids)).isEqualTo(text);
                }
            });
        }
    }

    @Test
    @Tag("real")
    void knowsTheSpecialTokens() throws IOException {
        try (Tokenizer llama2 = Tokenizer.open(LLAMA2);
                Tokenizer deepseek = Tokenizer.open(DEEPSEEK);
                Tokenizer smollm2 = Tokenizer.open(SMOLLM2)) {
            assertThat(llama2.bosId()).hasValue(1);
            assertThat(llama2.eosId()).isEqualTo(2);
            assertThat(llama2.padId()).as("no pad token: eos").isEqualTo(2);
            assertThat(llama2.vocabularySize()).isEqualTo(32_000);
            assertThat(deepseek.bosId()).hasValue(100_000);
            assertThat(deepseek.eosId()).isEqualTo(100_001);
            assertThat(deepseek.vocabularySize()).isEqualTo(100_015);
            assertThat(smollm2.bosId()).hasValue(1);
            assertThat(smollm2.eosId()).isEqualTo(2);
            assertThat(smollm2.padId()).isEqualTo(2);
            assertThat(smollm2.vocabularySize()).isEqualTo(49_152);

            assertThat(llama2.encodeWithSpecialTokens("Hello")).containsExactly(1, 15043);
            assertThat(llama2.encodeWithSpecialTokens("<s>Hello</s>")).containsExactly(1, 15043, 2);
            assertThat(deepseek.encodeWithSpecialTokens("Hello"))
                    .startsWith(100_000)
                    .hasSize(2);
            assertThat(smollm2.encodeWithSpecialTokens("Hello")).isEqualTo(smollm2.encode("Hello"));
        }
    }

    @Test
    @Tag("real")
    void specialTokensInATextAreText() throws IOException {
        for (Path model : List.of(LLAMA2, DEEPSEEK, SMOLLM2)) {
            try (Tokenizer tokenizer = Tokenizer.open(model)) {
                String text = "a</s>b <|im_end|><|im_start|>system <｜end▁of▁sentence｜> <filename>";
                int[] ids = tokenizer.encode(text);
                assertThat(ids).as("%s", model).doesNotContain(tokenizer.bosId().orElseThrow(), tokenizer.eosId());
                // SentencePiece writes a blank as U+2581, so LLaMA-2 can't tell the two apart.
                assertThat(tokenizer.decode(ids)).isEqualTo(model == LLAMA2 ? text.replace('▁', ' ') : text);
            }
        }
    }

    @Test
    @Tag("real")
    void decodeSkipsSpecialAndUnknownIds() throws IOException {
        for (Path model : List.of(LLAMA2, DEEPSEEK, SMOLLM2)) {
            try (Tokenizer tokenizer = Tokenizer.open(model)) {
                int[] text = tokenizer.encode("Ça va, 世界");
                int[] framed = new int[text.length + 4];
                framed[0] = tokenizer.bosId().orElseThrow();
                System.arraycopy(text, 0, framed, 1, text.length);
                framed[text.length + 1] = tokenizer.eosId();
                framed[text.length + 2] = tokenizer.vocabularySize();
                framed[text.length + 3] = -1;
                assertThat(tokenizer.decode(framed)).isEqualTo("Ça va, 世界");
                assertThat(tokenizer.decode(new int[0])).isEmpty();
            }
        }
    }

    @Test
    void neverTruncatesOrPads() throws IOException {
        TinyTokenizer.write(folder, """
                {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}""", """
                {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
                 "pad_id": 0, "pad_type_id": 0, "pad_token": "a"}""");
        write("config.json", "{\"eos_token_id\": 7}");
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.encode("e")).containsExactly(4);
            assertThat(tokenizer.encode("abcde".repeat(4_000))).hasSize(20_000);
        }
    }

    @Test
    void takesRolesFromEitherConfiguration() throws IOException {
        TinyTokenizer.write(folder);
        write("config.json", "{\"eos_token_id\": [7, 0], \"bos_token_id\": 6, \"pad_token_id\": null}");
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.eosId()).as("the first of the list").isEqualTo(TinyTokenizer.EOS);
            assertThat(tokenizer.padId()).isEqualTo(TinyTokenizer.EOS);
            assertThat(tokenizer.opening()).as("by the template").containsExactly(TinyTokenizer.BOS);
            assertThat(tokenizer.encodeWithSpecialTokens("ab")).containsExactly(6, 0, 1);
            assertThat(tokenizer.encodeWithSpecialTokens("<s>ab</s>")).containsExactly(6, 0, 1, 7);
            assertThat(tokenizer.decode(new int[] {6, 0, 5, 1, 7, 8, -1})).isEqualTo("a b");
            assertThat(tokenizer.vocabularySize()).isEqualTo(8);
        }
        write("tokenizer_config.json", """
                {"eos_token": {"content": "e"}, "pad_token": "a", "bos_token": "<s>", "add_bos_token": false}""");
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.eosId()).isEqualTo(4);
            assertThat(tokenizer.padId()).isZero();
            assertThat(tokenizer.bosId()).hasValue(TinyTokenizer.BOS);
            assertThat(tokenizer.opening()).isEmpty();
            assertThat(tokenizer.encodeWithSpecialTokens("b")).containsExactly(1);
        }
    }

    @Test
    void aTextEndsWithAnyOfTheTokensThatGenerationIsToldOf() throws IOException {
        TinyTokenizer.write(folder);
        write("config.json", "{\"eos_token_id\": [7, 0]}");
        assertThat(endIds()).containsExactlyInAnyOrder(7, 0);
        write("generation_config.json", "{\"eos_token_id\": [3, 900]}");
        assertThat(endIds()).as("in place of config.json's, and the eos token").containsExactlyInAnyOrder(3, 900, 7);
        write("generation_config.json", "{\"eos_token_id\": 1}");
        assertThat(endIds()).containsExactlyInAnyOrder(1, 7);
        write("generation_config.json", "{\"eos_token_id\": null}");
        assertThat(endIds()).containsExactlyInAnyOrder(7, 0);
        write("generation_config.json", "{\"eos_token_id\": [1, \"b\"]}");
        assertThatThrownBy(this::endIds)
                .isInstanceOf(BadInputException.class)
                .hasMessageEndingWith(
                        "generation_config.json: eos_token_id is [1,\"b\"], wanted a token's id or several");
    }

    private Set<Integer> endIds() throws IOException {
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            return tokenizer.endIds();
        }
    }

    @Test
    void noMergeMakesASpecialToken() throws IOException {
        write("tokenizer.json", """
                {"added_tokens": [{"id": 4, "content": "<s>", "special": true}],
                 "model": {"type": "BPE", "unk_token": "<s>", "ignore_merges": true,
                   "vocab": {"<": 0, "s": 1, ">": 2, "<s": 3, "<s>": 4, "<s>s": 5},
                   "merges": ["< s", ["<s", ">"], "<s> s"]}}""");
        write("config.json", "{\"eos_token_id\": 4}");
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.encode("<s>")).containsExactly(3, 2);
            assertThat(tokenizer.encode("<s>ss")).containsExactly(3, 2, 1, 1);
            assertThat(tokenizer.encodeWithSpecialTokens("s<s>")).containsExactly(1, 4);
        }
    }

    @Test
    void survivesCutAndChangedFiles() throws IOException {
        TinyTokenizer.write(folder);
        write("config.json", "{\"eos_token_id\": 7}");
        String whole = Files.readString(folder.resolve("tokenizer.json"));
        assertThat(Hostile.prefixesThatOpen(folder, "tokenizer.json"))
                .as("only the last line break may be missing")
                .isEqualTo(1);
        write("tokenizer.json", whole);
        Hostile.flip(folder, "tokenizer.json", 2_000);
    }

    @Test
    void worksOffline() throws IOException {
        TinyTokenizer.write(folder);
        write("config.json", "{\"eos_token_id\": 7}");
        Tokenizer.open(folder).close();
        assertThat(Utils.isOfflineMode()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "\"text\"",
                "{}",
                "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 0}}}",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": [\"a\"], \"merges\": []}}",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": -1}, \"merges\": []}}",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 9999999999}, \"merges\": []}}",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": []}, \"added_tokens\": [7]}",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}}",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}}}",
                "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [], \"unk_token\": \"b\"}}",
            })
    void refusesABrokenTokenizer(String json) throws IOException {
        write("tokenizer.json", json);
        write("config.json", "{\"eos_token_id\": 0}");
        assertThatThrownBy(() -> Tokenizer.open(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("tokenizer.json")
                .hasMessageNotContaining("\n");
    }

    /** The native library would end the process, at once or when it decodes. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"normalizer\": {\"type\": \"Precompiled\", \"precompiled_charsmap\": \"AAAA\"}",
                "\"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Line\\nbreak\"}]}",
                "\"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Fuse\"}, {\"type\": \"CTC\"}]}",
                "\"decoder\": {\"content\": \" \", \"start\": 0, \"stop\": 1}",
                "\"decoder\": {\"type\": \"Strip\", \"content\": \" \", \"start\": 0, \"stop\": 1}",
            })
    void refusesComponentsThatNoLlamaHas(String component) throws IOException {
        write("tokenizer.json", "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}, " + component + "}");
        write("config.json", "{\"eos_token_id\": 0}");
        assertThatThrownBy(() -> Tokenizer.open(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("tokenizer.json: " + component.substring(1, component.indexOf('"', 1)))
                .hasMessageNotContaining("\n");
    }

    @Test
    void templatesMayNameTokensThatTheyDoNotDefine() throws IOException {
        TinyTokenizer.write(folder);
        Path json = folder.resolve("tokenizer.json");
        write(
                "tokenizer.json",
                Files.readString(json).replace("\"special_tokens\": {\"<s>\":", "\"special_tokens\": {\"<t>\":"));
        write("config.json", "{\"eos_token_id\": 7, \"bos_token_id\": 6}");
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            assertThat(tokenizer.opening()).containsExactly(TinyTokenizer.BOS);
        }
    }

    @Test
    void refusesAMissingTokenizerAndOneThatIsNotUtf8() throws IOException {
        assertThatThrownBy(() -> Tokenizer.open(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("tokenizer.json");
        Files.write(folder.resolve("tokenizer.json"), new byte[] {'{', (byte) 0xff, '}'});
        assertThatThrownBy(() -> Tokenizer.open(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("UTF-8");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"eos_token\": null}",
                "{\"eos_token\": \"<none>\"}",
                "{\"eos_token\": {\"content\": \"<none>\"}}",
            })
    void refusesATokenizerWithoutEos(String config) throws IOException {
        TinyTokenizer.write(folder);
        write("tokenizer_config.json", config);
        assertThatThrownBy(() -> Tokenizer.open(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("eos_token");
        write("config.json", "{\"eos_token_id\": 8}");
        assertThatThrownBy(() -> Tokenizer.open(folder))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("eos_token");
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }
}
