package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The {@code fedlora} script in processes of its own.
 *
 * @param folder where it is run, and where its output goes
 */
record Launcher(Path folder) {
    static final Path ROOT = Path.of(System.getProperty("fedlora.root"));

    /** Runs a command to its end and returns its exit code. */
    int run(String... arguments) throws IOException, InterruptedException {
        Process process = start(arguments);
        assertThat(process.waitFor(10, TimeUnit.MINUTES)).as("ended").isTrue();
        return process.exitValue();
    }

    Process start(String... arguments) throws IOException {
        return start(Map.of(), arguments);
    }

    /** @param environment added to this process's */
    Process start(Map<String, String> environment, String... arguments) throws IOException {
        return start(environment, List.of(ROOT.resolve("fedlora").toString()), arguments);
    }

    /** Starts a command for which a disk is full: the system refuses to write more of any file. */
    Process startOnFullDisk(int kibibytes, String... arguments) throws IOException {
        String limited = "ulimit -f " + kibibytes + " && exec \"$0\" \"$@\"";
        return start(
                Map.of(), List.of("bash", "-c", limited, ROOT.resolve("fedlora").toString()), arguments);
    }

    private Process start(Map<String, String> environment, List<String> program, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(program);
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        return builder.directory(folder.toFile())
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** What the last command printed to standard output. */
    String out() throws IOException {
        return Files.readString(folder.resolve("out"));
    }

    /** What it printed to standard error, without the JVM's own line about its incubator module. */
    String err() throws IOException {
        return Files.readString(folder.resolve("err"))
                .replace("WARNING: Using incubator modules: jdk.incubator.vector\n", "");
    }
}
