package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import org.fedlora4j.common.BadInputException;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine commandLine =
            Main.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));

    @Test
    void everyCommandHasHelpWithAnExample() {
        assertThat(commandLine.getSubcommands()).isNotEmpty();
        for (String command : commandLine.getSubcommands().keySet()) {
            assertThat(Main.run(commandLine, command, "--help")).isZero();
            assertThat(out.toString())
                    .contains("Usage: fedlora " + command)
                    .contains("Example:\n  ./fedlora " + command);
            out.getBuffer().setLength(0);
        }
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void theUsersMistakesAreOneLineAndCode2() {
        assertThat(Main.run(commandLine, "no-such-command")).isEqualTo(2);
        assertThat(Main.run(commandLine, "doctor", "--no-such-option")).isEqualTo(2);
        assertThat(Main.run(commandLine)).isEqualTo(2);
        assertThat(err.toString().lines())
                .hasSize(3)
                .satisfiesExactly(
                        line -> assertThat(line).contains("no-such-command").contains("see fedlora --help"),
                        line -> assertThat(line).contains("--no-such-option").contains("see fedlora doctor --help"),
                        line -> assertThat(line).contains("Missing required subcommand"));
    }

    @Test
    void badInputIsOneLineAndCode2() {
        assertThat(runFailing(new BadInputException("model/config.json: hidden_size: found -1, wanted 1 or more")))
                .isEqualTo(2);
        assertThat(runFailing(new NoSuchFileException("weights.bin"))).isEqualTo(2);
        assertThat(err.toString().lines())
                .containsExactly(
                        "fedlora: model/config.json: hidden_size: found -1, wanted 1 or more",
                        "fedlora: weights.bin: no such file or folder");
    }

    @Test
    void failuresOfFilesAreNoFaultOfOurs() {
        assertThat(runFailing(new FileSystemException("models/x", null, "No space left on device")))
                .isEqualTo(2);
        assertThat(runFailing(new IOException("Connection reset"))).isEqualTo(2);
        assertThat(err.toString().lines())
                .containsExactly("fedlora: models/x: No space left on device", "fedlora: Connection reset");
    }

    /** A tensor's name, say, from a file that somebody else made. */
    @Test
    void whatAMessageQuotesStaysInItsLine() {
        assertThat(runFailing(new BadInputException("a\nb\r\u001b[2Jc\u202ed\u2028e\u007f")))
                .isEqualTo(2);
        assertThat(err.toString())
                .isEqualTo("fedlora: a\\u000ab\\u000d\\u001b[2Jc\\u202ed\\u2028e\\u007f" + System.lineSeparator());
    }

    @Test
    void ourFailuresAreCode1WithAStackTraceOnRequestOnly() {
        assertThat(runFailing(new IllegalStateException("broken"))).isEqualTo(1);
        assertThat(runFailing(new OutOfMemoryError("full"))).isEqualTo(1);
        assertThat(err.toString())
                .contains("fedlora failed: java.lang.IllegalStateException: broken")
                .contains("fedlora failed: java.lang.OutOfMemoryError: full")
                .contains("CONTRIBUTING.md")
                .doesNotContain("\tat ");
        assertThat(runFailing(new IllegalStateException("broken"), "--verbose")).isEqualTo(1);
        assertThat(err.toString()).contains("\tat ");
    }

    private int runFailing(Throwable failure, String... options) {
        CommandLine failing =
                Main.commandLine().addSubcommand(new Failing(failure)).setErr(commandLine.getErr());
        String[] arguments = new String[options.length + 1];
        arguments[0] = "failing";
        System.arraycopy(options, 0, arguments, 1, options.length);
        return Main.run(failing, arguments);
    }

    @Command(name = "failing")
    private record Failing(Throwable failure) implements Callable<Integer> {
        @Override
        public Integer call() throws Exception {
            if (failure instanceof Error error) {
                throw error;
            }
            throw (Exception) failure;
        }
    }
}
