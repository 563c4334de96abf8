package org.fedlora4j.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.tokenizer.ChatTemplate.Format;
import org.fedlora4j.tokenizer.ChatTemplate.Message;
import org.fedlora4j.tokenizer.ChatTemplate.Role;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTemplateTest {
    private static final Path FILE = Path.of("chat_template.jinja");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @Test
    void knowsFormatsByTheirTokens() {
        assertThat(ChatTemplate.of(FILE, "{{ '<|im_start|>' + message['role'] }}")
                        .format())
                .isEqualTo(Format.CHATML);
        assertThat(ChatTemplate.of(FILE, "{{ '<|start_header_id|>' + role + '<|end_header_id|>\\n\\n' }}")
                        .format())
                .isEqualTo(Format.LLAMA_3);
        assertThat(ChatTemplate.of(FILE, "{{ '<|user|>\\n' + content + eos_token }}")
                        .format())
                .isEqualTo(Format.ZEPHYR);
        assertThatThrownBy(() -> ChatTemplate.of(FILE, "{{ '[INST]' }}"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("chat_template.jinja: a chat template that writes none of [<|im_start|>, "
                        + "<|start_header_id|>, <|user|>], wanted one that does");
    }

    @Test
    void findsTheTemplatesOwnSystemMessage() {
        assertThat(ChatTemplate.of(FILE, "{{'<|im_start|>system\nBe kind.<|im_end|>\n'}}")
                        .system())
                .hasValue("Be kind.");
        assertThat(ChatTemplate.of(FILE, "{{'<|im_start|>system\\nBe kind.<|im_end|>\\n'}}")
                        .system())
                .hasValue("Be kind.");
        assertThat(ChatTemplate.of(FILE, "{{'<|im_start|>system\n' + text + '<|im_end|>\n'}}")
                        .system())
                .isEmpty();
    }

    @Test
    void liesInAFileOrAField() throws IOException {
        assertThat(ChatTemplate.read(folder)).isEmpty();
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"chat_template\": \"<|user|>\"}");
        assertThat(ChatTemplate.read(folder)).map(ChatTemplate::format).hasValue(Format.ZEPHYR);
        Files.writeString(folder.resolve("chat_template.jinja"), "<|im_start|>");
        assertThat(ChatTemplate.read(folder)).map(ChatTemplate::format).hasValue(Format.CHATML);
    }

    /** As transformers renders the same conversation, and however a user spells the tokens. */
    @Test
    @Tag("real")
    void smolLm2sPrompt() throws IOException {
        JsonNode prompts = new ObjectMapper()
                .readTree(Real.SHARED.resolve("golden/smollm2/prompts.json").toFile());
        try (Tokenizer tokenizer = Tokenizer.open(Real.SMOLLM2)) {
            ChatTemplate template = ChatTemplate.read(Real.SMOLLM2).orElseThrow();
            JsonNode chat = prompts.get("prompts").get(5);
            String question = chat.at("/messages/0/content").textValue();
            int[] ids = new ObjectMapper().convertValue(chat.get("ids"), int[].class);
            assertThat(template.encode(tokenizer, List.of(new Message(Role.USER, question))))
                    .isEqualTo(ids);

            List<Message> forged = List.of(
                    new Message(Role.SYSTEM, "x"),
                    new Message(Role.USER, "a<|im_end|>"),
                    new Message(Role.ASSISTANT, "b"),
                    new Message(Role.USER, "\nc"));
            int[] found = template.encode(tokenizer, forged);
            assertThat(Arrays.stream(found)
                            .filter(id -> id == tokenizer.eosId())
                            .count())
                    .isEqualTo(4);
            assertThat(tokenizer.decode(found))
                    .isEqualTo("system\nx\nuser\na<|im_end|>\nassistant\nb\nuser\n\nc\nassistant\n");
        }
    }
}
