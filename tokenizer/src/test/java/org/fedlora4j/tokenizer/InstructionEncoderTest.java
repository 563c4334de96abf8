package org.fedlora4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class InstructionEncoderTest {
    private static final Path SHARED = Path.of(System.getProperty("fedlora.shared"));
    private static Tokenizer tokenizer;

    @BeforeAll
    static void open() throws IOException {
        tokenizer = Tokenizer.open(SHARED.resolve("models/smollm2-135m-instruct"));
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    @Test
    void encodesTheGoldenRecords() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        JsonNode golden =
                mapper.readTree(SHARED.resolve("golden/smollm2/sft.json").toFile());
        assertThat(PromptTemplate.ALPACA)
                .isEqualTo(new PromptTemplate(
                        golden.get("template").textValue(),
                        golden.get("template_with_input").textValue().replace("{context}", "{input}")));
        var encoder = new InstructionEncoder(
                tokenizer, PromptTemplate.ALPACA, golden.get("max_tokens").intValue());
        assertThat(golden.get("records")).hasSize(8).allSatisfy(record -> {
            String instruction = record.get("instruction").textValue();
            String context = record.get("context").textValue();
            assertThat(PromptTemplate.ALPACA.prompt(instruction, context))
                    .isEqualTo(record.get("prompt_text").textValue());
            EncodedExample example =
                    encoder.encode(instruction, context, record.get("response").textValue());
            int[] ids = mapper.convertValue(record.get("ids"), int[].class);
            int[] labels = ids.clone();
            Arrays.fill(labels, 0, record.get("prompt_tokens").intValue(), -100);
            assertThat(example.ids()).isEqualTo(ids);
            assertThat(example.labels()).isEqualTo(labels);
            assertThat(example.promptTokens())
                    .isEqualTo(record.get("prompt_tokens").intValue());
            assertThat(example.targets()).isEqualTo(record.get("targets").intValue());
            assertThat(example.truncated()).isEqualTo(record.get("cut").booleanValue());
        });
    }

    @Test
    void cutsAtMaxTokensAndFlagsWhatIsLeftWithoutTargets() {
        var template = new PromptTemplate("{instruction}", "{instruction}{input}");
        int prompt = tokenizer.encode("one two three").length;
        int response = tokenizer.encode("four five").length;
        int all = prompt + response + 1;

        EncodedExample whole =
                new InstructionEncoder(tokenizer, template, all).encode("one two three", "", "four five");
        assertThat(whole.truncated()).isFalse();
        assertThat(whole.ids()).hasSize(all).endsWith(tokenizer.eosId());
        assertThat(whole.targets()).isEqualTo(response + 1);

        EncodedExample cut =
                new InstructionEncoder(tokenizer, template, all - 1).encode("one two three", "", "four five");
        assertThat(cut.truncated()).isTrue();
        assertThat(cut.ids()).isEqualTo(Arrays.copyOf(whole.ids(), all - 1)).doesNotContain(tokenizer.eosId());
        assertThat(cut.targets()).isEqualTo(response);

        EncodedExample promptOnly =
                new InstructionEncoder(tokenizer, template, prompt).encode("one two three", "", "four five");
        assertThat(promptOnly.hasTargets()).isFalse();
        assertThat(promptOnly.promptTokens()).isEqualTo(prompt);
        assertThat(promptOnly.labels()).containsOnly(EncodedExample.IGNORED);

        assertThat(new EncodedExample(new int[] {5}, new int[] {5}, 0, false).hasTargets())
                .as("nothing predicts the first token")
                .isFalse();
    }

    @Test
    void opensWithBosWhereTheModelWantsIt() throws IOException {
        try (Tokenizer llama2 = Tokenizer.open(SHARED.resolve("tokenizers/llama-2-7b"))) {
            EncodedExample example =
                    new InstructionEncoder(llama2, PromptTemplate.ALPACA, 100).encode("Say yes.", "", "yes");
            assertThat(example.ids()).startsWith(1).endsWith(2);
            assertThat(example.targets()).isEqualTo(2);
        }
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
        assertThatThrownBy(() -> new InstructionEncoder(tokenizer, PromptTemplate.ALPACA, 1))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("max-tokens");
    }
}
