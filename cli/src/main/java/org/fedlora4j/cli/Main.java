package org.fedlora4j.cli;

import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import org.fedlora4j.common.BadInputException;
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
 * <p>Exit codes: 0 done, 2 bad input (one line on standard error), 1 our failure (one line, the stack trace with
 * {@code --verbose} or {@code FEDLORA_DEBUG}).
 */
@Command(
        name = "fedlora",
        description = "Federated LoRA fine-tuning of LLaMA-family models.",
        subcommands = {
            DemoCommand.class,
            ConvertCommand.class,
            MergeCommand.class,
            VerifyCommand.class,
            TrainCommand.class,
            ExportCommand.class,
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
        if (error instanceof FileSystemException fileError) {
            return badInput(command, describe(fileError));
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
        command.getErr().println("fedlora: " + message);
        return BAD_INPUT;
    }

    /** Such as {@code model.bin: NoSuchFileException}: most have no other reason than their type. */
    private static String describe(FileSystemException error) {
        String reason = error.getReason() == null ? error.getClass().getSimpleName() : error.getReason();
        return error.getFile() + ": " + reason;
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
