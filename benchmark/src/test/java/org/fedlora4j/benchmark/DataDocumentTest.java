package org.fedlora4j.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.junit.jupiter.api.Test;

/** {@code docs/data.md} shows the prompts as they are. */
class DataDocumentTest {
    @Test
    void showsTheTemplatesToTheLetter() throws IOException {
        String document = Files.readString(Path.of("../docs/data.md"));
        for (PromptTemplate template : new PromptTemplate[] {PromptTemplate.ALPACA, PromptTemplate.SHORT}) {
            for (String text : new String[] {template.withoutInput(), template.withInput()}) {
                assertThat(document).contains("```text\n" + text + (text.endsWith("\n") ? "```" : "\n```"));
            }
        }
    }
}
