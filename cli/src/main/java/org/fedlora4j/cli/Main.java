package org.fedlora4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.FileProblems;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * The {@code fedlora} command. A subcommand is a {@code Callable<Integer>} listed here; it returns its exit code and
 * throws {@link BadInputException} for what the user can mend.
 *
 * <p>Exit codes: 0 done, 2 bad input, or files that can't be read or written (one line on standard error), 1 our failure
 * (one line, the stack trace with {@code --verbose} or {@code FEDLORA_DEBUG}).
 */
@Command(
        name = "fedlora",
        description = "Federated LoRA fine-tuning of LLaMA-family models.",
        subcommands = {
            DemoCommand.class,
            DownloadCommand.class,
            ConvertCommand.class,
            MergeCommand.class,
            VerifyCommand.class,
            TrainCommand.class,
            BenchmarkCommand.class,
            GenerateCommand.class,
            ChatCommand.class,
            ExportCommand.class,
            AnalyzeCommand.class,
            CertsCommand.class,
            ServerCommand.class,
            ClientCommand.class,
            StatusCommand.class,
            DoctorCommand.class
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        scope = ScopeType.INHERIT,
        synopsisSubcommandLabel = "COMMAND",
        footer = {"", "Example:", "  ./fedlora doctor"})
public final class Main {
    static final int BAD_INPUT = 2;
    static final int OUR_FAILURE = 1;

    private static final Set<Byte> NOT_SHOWN = Set.of(
            Character.CONTROL,
            Character.FORMAT,
            Character.LINE_SEPARATOR,
            Character.PARAGRAPH_SEPARATOR,
            Character.SURROGATE);

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Print the stack trace of a failure; so does the environment variable FEDLORA_DEBUG.")
    private boolean verbose;

    public static void main(String[] arguments) {
        System.exit(run(commandLine(), arguments));
    }

    /** The command line, ready to run. */
    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setParameterExceptionHandler((error, arguments) -> badInput(
                        error.getCommandLine(),
                        error.getMessage() + " (see "
                                + error.getCommandLine().getCommandSpec().qualifiedName() + " --help)"))
                .setExecutionExceptionHandler((error, command, result) -> report(command, error));
    }

    /** Runs a command and returns its exit code; nothing is thrown. */
    static int run(CommandLine commandLine, String... arguments) {
        try {
            return commandLine.execute(arguments);
        } catch (Error error) {
            return report(commandLine, error);
        }
    }

    private static int report(CommandLine command, Throwable error) {
        if (error instanceof BadInputException) {
            return badInput(command, error.getMessage());
        }
        if (error instanceof IOException failure) {
            return badInput(command, FileProblems.describe(failure));
        }
        PrintWriter err = command.getErr();
        err.println("fedlora failed: " + error);
        err.println("Please report this as CONTRIBUTING.md says, with what --verbose prints.");
        if (verbose(command)) {
            error.printStackTrace(err);
        }
        return OUR_FAILURE;
    }

    private static int badInput(CommandLine command, @Nullable String message) {
        command.getErr().println("fedlora: " + oneLine(String.valueOf(message)));
        return BAD_INPUT;
    }

    /** Names in files may hold what would move the cursor, or hide the rest of the line. */
    private static String oneLine(String text) {
        StringBuilder line = new StringBuilder();
        text.codePoints().forEach(character -> {
            if (NOT_SHOWN.contains((byte) Character.getType(character))) {
                line.append(String.format("\\u%04x", character));
            } else {
                line.appendCodePoint(character);
            }
        });
        return line.toString();
    }

    private static boolean verbose(CommandLine command) {
        Main main = (Main) command.getCommandSpec().root().userObject();
        return main.verbose || System.getenv("FEDLORA_DEBUG") != null;
    }

    /** The version in the jar's manifest. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"fedlora " + (version == null ? "(not packaged)" : version)};
        }
    }
}
