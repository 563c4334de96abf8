package org.fedlora4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;
import org.fedlora4j.common.Progress;
import org.fedlora4j.tokenizer.ChatTemplate.Message;
import org.fedlora4j.tokenizer.ChatTemplate.Role;
import org.fedlora4j.tokenizer.InstructionEncoder;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.fedlora4j.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Lets a model continue a text or answer a question. */
@Command(
        name = "generate",
        description = "Let a model continue a text or answer a question; the text is shown as it grows.",
        footer = {
            "",
            "Example:",
            "  ./fedlora generate models/smollm2 --prompt 'Why is the sky blue?' --temperature 0.7 --top-p 0.9",
            "  ./fedlora generate models/smollm2 --adapter runs/dolly-smollm2/adapters/global --template alpaca \\",
            "    --prompt 'Name three rivers in Africa.' --max-new-tokens 64 --json"
        })
final class GenerateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "A model that convert made, or any that it takes.")
    private Path source;

    @ArgGroup(multiplicity = "1")
    private Prompt prompt = new Prompt();

    /** Given as one of two options. */
    private static final class Prompt {
        @Option(names = "--prompt", paramLabel = "TEXT", description = "What to continue or to answer.")
        private @Nullable String text;

        @Option(
                names = "--prompt-file",
                paramLabel = "FILE",
                description = "A text file with the prompt, less its last line's end; - for standard input.")
        private Path file = Path.of("-");
    }

    @Option(
            names = "--template",
            defaultValue = "auto",
            description = {
                "What is put around the prompt: ${COMPLETION-CANDIDATES}.",
                "chat: the model's own template of a conversation; alpaca and short: those of experiment files; raw: "
                        + "nothing, and special tokens in the prompt count; auto (the default): chat where the model "
                        + "has it, else raw."
            })
    private Template template = Template.auto;

    @Mixin
    private final GenerationOptions options = new GenerationOptions();

    @Option(names = "--json", description = "Print the text, why it ends, and the speed as JSON.")
    private boolean json;

    /** The templates by the names that they have on the command line. */
    private enum Template {
        auto,
        raw,
        chat,
        alpaca,
        short_;

        @Override
        public String toString() {
            return name().replace("_", "");
        }
    }

    @Override
    public Integer call() throws IOException {
        options.check();
        String text = prompt.text != null ? prompt.text : read(prompt.file);
        PrintWriter out = spec.commandLine().getOut();
        try (TextModel model = TextModel.open(source, options.adapter(), options.precision())) {
            Generated generated = model.generate(encode(model, text), options, piece -> {
                if (!json) {
                    out.print(piece);
                    out.flush();
                }
            });
            out.println(json ? generated.toJson().toPrettyString() : "");
            if (Progress.isOnTerminal()) {
                spec.commandLine().getErr().println(generated.speed());
            }
        }
        return 0;
    }

    private int[] encode(TextModel model, String text) throws IOException {
        Tokenizer tokenizer = model.tokenizer();
        return switch (template) {
            case auto -> model.chatTemplate().isPresent() ? chat(model, text) : raw(tokenizer, text);
            case raw -> raw(tokenizer, text);
            case chat -> chat(model, text);
            case alpaca -> instruction(tokenizer, PromptTemplate.ALPACA, text);
            case short_ -> instruction(tokenizer, PromptTemplate.SHORT, text);
        };
    }

    private int[] raw(Tokenizer tokenizer, String text) {
        int[] ids = tokenizer.encodeWithSpecialTokens(text);
        if (ids.length == 0) {
            throw new BadInputException("--prompt: no token, wanted a text to continue");
        }
        return ids;
    }

    private int[] chat(TextModel model, String text) throws IOException {
        return model.requireChatTemplate().encode(model.tokenizer(), List.of(new Message(Role.USER, text)));
    }

    private static int[] instruction(Tokenizer tokenizer, PromptTemplate template, String text) {
        return new InstructionEncoder(tokenizer, template, Integer.MAX_VALUE).encodePrompt(text, "");
    }

    private static String read(Path file) throws IOException {
        boolean standardInput = file.equals(Path.of("-"));
        if (!standardInput) {
            InputFiles.require(file, "a text file");
        }
        byte[] bytes = standardInput ? System.in.readAllBytes() : Files.readAllBytes(file);
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return text.replaceFirst("\r?\n\\z", "");
        } catch (CharacterCodingException e) {
            throw new BadInputException("--prompt-file " + file + ": not UTF-8, wanted a text in UTF-8", e);
        }
    }
}
