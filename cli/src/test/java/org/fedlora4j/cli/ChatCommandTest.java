package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.benchmark.demo.DemoModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatCommandTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @Test
    void answersLineByLineUntilTheExit() throws IOException {
        Path model = chatModel();
        Cli one = chat("hello\n/exit\nnever read\n", model, "--max-new-tokens", "8");
        assertThat(one.code()).as(one.err()).isZero();
        assertThat(one.err()).isEmpty();
        Cli two = chat("hello\n\n  \n hello \n", model, "--max-new-tokens", "8");
        assertThat(two.code()).as(two.err()).isZero();
        assertThat(two.out()).startsWith(one.out()).hasSizeGreaterThan(one.out().length());
    }

    @Test
    void whatIsTooLongIsForgottenOrNotAsked() throws IOException {
        Path model = chatModel();
        String line = "x".repeat(60) + "\n";
        Cli chat = chat(line + line + "x".repeat(2_000) + "\n" + line, model, "--max-new-tokens", "4", "--system", "s");
        assertThat(chat.code()).as(chat.err()).isZero();
        assertThat(chat.err()).contains("(forgotten, the oldest: 1 question)").contains("(not asked: ");
    }

    /** The demo's model for conversations, in TinyLlama's template; it knows nothing but writes something. */
    private Path chatModel() throws IOException {
        Path model = DemoModel.unpack(folder.resolve("model"));
        Files.writeString(model.resolve("chat_template.jinja"), "{{ '<|user|>' }}");
        return model;
    }

    @Test
    void needsAModelForConversations() throws IOException {
        Cli refused = chat("hello\n", DemoModel.unpack(folder.resolve("model")));
        assertThat(refused.code()).isEqualTo(2);
        assertThat(refused.err().lines()).singleElement().asString().contains("no chat_template.jinja");
        assertThat(refused.out()).isEmpty();
    }

    private static Cli chat(String input, Object... arguments) {
        Object[] all = new Object[arguments.length + 1];
        all[0] = "chat";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        InputStream before = System.in;
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        try {
            return Cli.run(all);
        } finally {
            System.setIn(before);
        }
    }
}
