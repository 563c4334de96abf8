package org.fedlora4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstructionEncoderTest {
    @TempDir
    Path folder;

    @Test
    @Tag("real")
    void encodesTheGoldenRecords() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        JsonNode golden =
                mapper.readTree(Real.SHARED.resolve("golden/smollm2/sft.json").toFile());
        assertThat(PromptTemplate.ALPACA)
                .isEqualTo(new PromptTemplate(
                        golden.get("template").textValue(),
                        golden.get("template_with_input").textValue().replace("{context}", "{input}")));
        try (Tokenizer tokenizer = Tokenizer.open(Real.SMOLLM2)) {
            var encoder = new InstructionEncoder(
                    tokenizer, PromptTemplate.ALPACA, golden.get("max_tokens").intValue());
            assertThat(golden.get("records")).hasSize(8).allSatisfy(record -> {
                String instruction = record.get("instruction").textValue();
                String context = record.get("context").textValue();
                int promptTokens = record.get("prompt_tokens").intValue();
                int[] ids = mapper.convertValue(record.get("ids"), int[].class);
                int[] labels = ids.clone();
                Arrays.fill(labels, 0, promptTokens, -100);

                assertThat(PromptTemplate.ALPACA.prompt(instruction, context))
                        .isEqualTo(record.get("prompt_text").textValue());
                EncodedExample example = encoder.encode(
                        instruction, context, record.get("response").textValue());
                assertThat(example.ids()).isEqualTo(ids);
                assertThat(example.labels()).isEqualTo(labels);
                assertThat(example.promptTokens()).isEqualTo(promptTokens);
                assertThat(example.targets()).isEqualTo(record.get("targets").intValue());
                assertThat(example.truncated()).isEqualTo(record.get("cut").booleanValue());
            });
        }
    }

    @Test
    void cutsAtMaxTokensAndFlagsWhatIsLeftWithoutTargets() throws IOException {
        TinyTokenizer.write(folder);
        Files.writeString(folder.resolve("config.json"), "{\"bos_token_id\": 6, \"eos_token_id\": 7}");
        var template = new PromptTemplate("{instruction}", "{instruction}{input}");
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            EncodedExample whole = new InstructionEncoder(tokenizer, template, 6).encode("ab", "", "cd");
            assertThat(whole.ids()).as("bos, prompt, response, eos").containsExactly(6, 0, 1, 2, 3, 7);
            assertThat(whole.labels()).containsExactly(-100, -100, -100, 2, 3, 7);
            assertThat(whole.promptTokens()).isEqualTo(3);
            assertThat(whole.targets()).isEqualTo(3);
            assertThat(whole.truncated()).isFalse();

            EncodedExample cut = new InstructionEncoder(tokenizer, template, 5).encode("ab", "", "cd");
            assertThat(cut.ids()).containsExactly(6, 0, 1, 2, 3);
            assertThat(cut.targets()).isEqualTo(2);
            assertThat(cut.truncated()).isTrue();

            for (int maxTokens : new int[] {3, 2}) {
                EncodedExample promptOnly =
                        new InstructionEncoder(tokenizer, template, maxTokens).encode("ab", "", "cd");
                assertThat(promptOnly.labels()).hasSize(maxTokens).containsOnly(EncodedExample.IGNORED);
                assertThat(promptOnly.promptTokens()).isEqualTo(maxTokens);
                assertThat(promptOnly.hasTargets()).isFalse();
                assertThat(promptOnly.truncated()).isTrue();
            }
            assertThatThrownBy(() -> new InstructionEncoder(tokenizer, template, 1))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("max-tokens");
        }
        assertThat(new EncodedExample(new int[] {5}, new int[] {5}, 0, false).hasTargets())
                .as("nothing predicts the first token")
                .isFalse();
    }

    @Test
    void takesNoPlaceholderFromTheInstruction() {
        var template = new PromptTemplate("<{instruction}>", "<{instruction}|{input}>");
        assertThat(template.prompt("{input} $1 \\", "{instruction}")).isEqualTo("<{input} $1 \\|{instruction}>");
        assertThat(template.prompt("x", " \n")).isEqualTo("<x>");
    }

    @Test
    void refusesTemplatesWithoutTheirPlaceholders() {
        for (String withoutInput : new String[] {"", "{instruction}{instruction}", "{instruction}{input}"}) {
            assertThatThrownBy(() -> new PromptTemplate(withoutInput, "{instruction}{input}"))
                    .isInstanceOf(BadInputException.class);
        }
        assertThatThrownBy(() -> new PromptTemplate("{instruction}", "{instruction}"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("{input}");
    }

    @Test
    void knowsTemplatesByName() {
        assertThat(PromptTemplate.names()).containsExactly("alpaca", "short");
        assertThat(PromptTemplate.named("alpaca")).isEqualTo(PromptTemplate.ALPACA);
        assertThat(PromptTemplate.named("short")).isEqualTo(PromptTemplate.SHORT);
        assertThatThrownBy(() -> PromptTemplate.named("long"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("template: long, wanted one of [alpaca, short]");
    }
}
