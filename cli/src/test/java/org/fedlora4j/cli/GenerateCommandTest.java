package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.fedlora4j.benchmark.demo.DemoModel;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How tokens are chosen and become text is tested where it is done. */
class GenerateCommandTest {
    private static final Path GOLDEN = Path.of(System.getProperty("fedlora.golden"));

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @SuppressWarnings("NullAway.Init")
    private Path model;

    @BeforeEach
    void unpack() throws IOException {
        model = DemoModel.unpack(folder.resolve("model"));
    }

    @Test
    void printsTheTextAndNothingElse() {
        Cli generated = generate("--prompt", "Q: What is a bird?\nA: ", "--max-new-tokens", "20");
        assertThat(generated.code()).as(generated.err()).isZero();
        assertThat(generated.out()).hasSizeBetween(2, 21).endsWith("\n");
        assertThat(generated.err()).isEmpty();
        assertThat(generate("--template", "short", "--prompt", "What is a bird?", "--max-new-tokens", "20"))
                .isEqualTo(generated);
    }

    @Test
    void theSameTextAsJson() throws IOException {
        String text =
                generate("--prompt", "a b", "--max-new-tokens", "20").out().strip();
        JsonNode json = json("--prompt", "a b", "--max-new-tokens", "20");
        assertThat(json.get("text").textValue().strip()).isEqualTo(text);
        assertThat(json.get("promptTokens").intValue()).isEqualTo(4);
        assertThat(json.get("tokens").intValue()).isBetween(1, 20);
        assertThat(json.get("finish").textValue()).isIn("end", "length");
        assertThat(json.get("promptSeconds").doubleValue()).isPositive();
    }

    @Test
    void aStopTextEndsTheText() throws IOException {
        String text =
                json("--prompt", "Once", "--max-new-tokens", "30").get("text").textValue();
        String stop = text.substring(3, 5);
        JsonNode json = json("--prompt", "Once", "--max-new-tokens", "30", "--stop", "never there", "--stop", stop);
        assertThat(json.get("text").textValue()).isEqualTo(text.substring(0, text.indexOf(stop)));
        assertThat(json.get("finish").textValue()).isEqualTo("stop");
    }

    @Test
    void drawsByTheSeed() {
        String[] drawn = {"--prompt", "x", "--temperature", "1.5", "--top-p", "0.99", "--seed", "7"};
        Cli first = generate((Object[]) drawn);
        assertThat(first.code()).as(first.err()).isZero();
        assertThat(generate((Object[]) drawn)).isEqualTo(first);
        drawn[drawn.length - 1] = "8";
        assertThat(generate((Object[]) drawn).out()).isNotEqualTo(first.out());
    }

    @Test
    void thePromptMayBeAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("prompt.txt"), "Grüße\n\n");
        JsonNode json = json("--prompt-file", file, "--max-new-tokens", "3");
        assertThat(json.get("promptTokens").intValue())
                .as("the beginning, 7 bytes, one line's end")
                .isEqualTo(1 + 7 + 1);
    }

    @Test
    void anAdapterIsUsed() {
        Path toy = GOLDEN.resolve("toy/gqa-tied-bf16");
        Cli refused = generate("--prompt", "x", "--adapter", toy.resolve("adapter"));
        assertThat(refused.code()).isEqualTo(2);
        assertThat(refused.err()).contains("adapter");
    }

    @Test
    void badArgumentsAreOneLineAndCode2() throws IOException {
        assertRefused("Missing required argument", "--max-new-tokens", "1");
        assertRefused("mutually exclusive", "--prompt", "x", "--prompt-file", "y");
        assertRefused("--max-new-tokens: 0, wanted at least 1", "--prompt", "x", "--max-new-tokens", "0");
        assertRefused("temperature: -1.0, wanted a number of at least 0", "--prompt", "x", "--temperature", "-1");
        assertRefused("top-p: 0.0, wanted a number above 0 and at most 1", "--prompt", "x", "--top-p", "0");
        assertRefused("--stop: an empty text", "--prompt", "x", "--stop", "");
        assertRefused("precision: found f8", "--prompt", "x", "--precision", "f8");
        assertRefused("--template", "--prompt", "x", "--template", "jinja");
        assertRefused("no chat_template.jinja", "--prompt", "x", "--template", "chat");
        assertRefused("nowhere: no such file; wanted a text file", "--prompt-file", folder.resolve("nowhere"));
        Path latin = Files.write(folder.resolve("latin.txt"), new byte[] {'a', (byte) 0xE4});
        assertRefused("latin.txt: not UTF-8", "--prompt-file", latin);
        assertRefused("the prompt has 9001 tokens, wanted less than", "--prompt", "x".repeat(9_000));
    }

    private void assertRefused(String message, Object... arguments) {
        Cli refused = generate(arguments);
        assertThat(refused.code()).as(refused.err()).isEqualTo(2);
        assertThat(refused.err().lines()).singleElement().asString().contains(message);
        assertThat(refused.out()).isEmpty();
    }

    private JsonNode json(Object... arguments) throws IOException {
        Object[] all = new Object[arguments.length + 1];
        System.arraycopy(arguments, 0, all, 0, arguments.length);
        all[arguments.length] = "--json";
        Cli generated = generate(all);
        assertThat(generated.code()).as(generated.err()).isZero();
        return new ObjectMapper().readTree(generated.out());
    }

    private Cli generate(Object... arguments) {
        Object[] all = new Object[arguments.length + 2];
        all[0] = "generate";
        all[1] = model;
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        return Cli.run(all);
    }
}
