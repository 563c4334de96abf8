package org.fedlora4j.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Talks with a model: a line in, its answer out, the whole conversation in view. */
@Command(
        name = "chat",
        description = {
            "Talk with a model that is made for conversations: each line of standard input is a message.",
            "/exit or the end of the input ends it. What no longer fits the model's length is forgotten, the oldest "
                    + "first."
        },
        footer = {"", "Example:", "  ./fedlora chat models/smollm2 --temperature 0.7 --top-p 0.9"})
final class ChatCommand implements Callable<Integer> {
    private static final String EXIT = "/exit";

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "A model that convert made, or any that it takes.")
    private Path source;

    @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told first.")
    private @Nullable String system;

    @Mixin
    private final GenerationOptions options = new GenerationOptions();

    @Override
    public Integer call() throws IOException {
        options.check();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (TextModel model = TextModel.open(source, options.adapter(), options.precision())) {
            Conversation conversation = new Conversation(model, model.requireChatTemplate(), options, system);
            for (String line = read(in); line != null && !line.equals(EXIT); line = read(in)) {
                if (!line.isEmpty()) {
                    answer(conversation, line);
                }
            }
        }
        return 0;
    }

    private void answer(Conversation conversation, String question) {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try {
            int forgotten = conversation.ask(question);
            if (forgotten > 0) {
                err.println(
                        "(forgotten, the oldest: " + forgotten + (forgotten == 1 ? " question" : " questions") + ")");
            }
        } catch (BadInputException e) {
            err.println("(not asked: " + e.getMessage() + ")");
            return;
        }
        Generated answer = conversation.answer(piece -> {
            out.print(piece);
            out.flush();
        });
        out.println();
        if (Progress.isOnTerminal()) {
            err.println("(" + answer.speed() + ")");
        }
    }

    /** The next line, stripped; null at the end. */
    private @Nullable String read(BufferedReader in) throws IOException {
        if (Progress.isOnTerminal()) {
            PrintWriter err = spec.commandLine().getErr();
            err.print("> ");
            err.flush();
        }
        String line = in.readLine();
        return line == null ? null : line.strip();
    }
}
