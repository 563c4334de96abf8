package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.fedlora4j.benchmark.demo.DemoModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A federation whose server and one of its clients have no room left; it's the system that refuses to write. */
@Timeout(value = 40, unit = TimeUnit.MINUTES)
class FullDiskTest {
    /**
     * Less than an adapter, and more than all else that they write, libraries that unpack themselves among it. Four layers
     * of [96, 96] for q and o, [48, 96] for k and v, [256, 96] for gate, up and down: 4 * (2 * 192 + 2 * 144 + 3 * 352)
     * values for each of 48 ranks, 1,327,104 bytes.
     */
    private static final int KIBIBYTES = 1_024;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private final List<Process> started = new ArrayList<>();

    @BeforeEach
    void writeModelAndData() throws IOException {
        DemoModel.unpack(folder.resolve("model"));
        for (String client : List.of("a", "b")) {
            Files.writeString(folder.resolve(client + ".jsonl"), """
                    {"instruction": "Say %1$s.", "output": "%1$s."}
                    {"instruction": "Say it twice.", "output": "%1$s, %1$s."}
                    """.formatted(client));
        }
    }

    @AfterEach
    void stop() {
        started.forEach(Process::destroyForcibly);
    }

    @Test
    void whatStoppedGoesOnWhenThereIsRoomAgain() throws Exception {
        Path undisturbed = settings("undisturbed");
        Process server = start(undisturbed, "server");
        Process a = start(undisturbed, "a");
        Process b = start(undisturbed, "b");
        assertEnds(undisturbed, "server", server, 0);
        assertEnds(undisturbed, "a", a, 0);
        assertEnds(undisturbed, "b", b, 0);

        Path full = settings("full");
        Process fullServer = startOnFullDisk(full, "server");
        Process unaffected = start(full, "a");
        Process fullClient = startOnFullDisk(full, "b");
        // The client ends before it sends what it can't save, so the server gets no further.
        assertEnds(full, "b", fullClient, 2);
        assertThat(lastLine(full, "b")).matches("fedlora: .+/b/output/state/[0-9a-f]{16}/000000: can't be written: .+");
        assertThat(fullServer.isAlive()).isTrue();
        // The server ends when it can't save what the first phase came to.
        Process roomyClient = start(full, "b");
        assertEnds(full, "server", fullServer, 2);
        assertThat(lastLine(full, "server")).matches("fedlora: .+/server/output/state/000001: can't be written: .+");
        assertThat(full.resolve("server/output/state")).isEmptyDirectory();

        Process roomyServer = start(full, "server");
        assertEnds(full, "server", roomyServer, 0);
        assertEnds(full, "a", unaffected, 0);
        assertEnds(full, "b", roomyClient, 0);
        for (String adapter :
                List.of("server/output/adapters/global", "a/output/adapters/own", "b/output/adapters/own")) {
            String weights = adapter + "/adapter_model.safetensors";
            assertThat(Files.readAllBytes(full.resolve(weights)))
                    .as(adapter)
                    .isEqualTo(Files.readAllBytes(undisturbed.resolve(weights)));
        }
    }

    /** A folder for each party of a run, with its settings. */
    private Path settings(String name) throws IOException {
        Path run = folder.resolve(name);
        int port = Launcher.freePort();
        Files.writeString(
                Files.createDirectories(run.resolve("server")).resolve("settings.yaml"), """
                model: ../../model
                output: %s/server/output
                clients: [a, b]
                rounds: 1
                template: short
                lora: {rank: 48, targets: [q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj]}
                listen: 127.0.0.1:%d
                status: none
                plaintext: true
                """.formatted(run, port));
        for (String client : List.of("a", "b")) {
            Files.writeString(Files.createDirectories(run.resolve(client)).resolve("settings.yaml"), """
                    server: 127.0.0.1:%d
                    model: ../../model
                    output: %s/%s/output
                    data: {train: ../../%3$s.jsonl}
                    id: %3$s
                    plaintext: true
                    """.formatted(
                            port, run, client));
        }
        return run;
    }

    private Process start(Path run, String party) throws IOException {
        Process process = new Launcher(run.resolve(party)).start(command(party), "settings.yaml");
        started.add(process);
        return process;
    }

    private Process startOnFullDisk(Path run, String party) throws IOException {
        Process process = new Launcher(run.resolve(party)).startOnFullDisk(KIBIBYTES, command(party), "settings.yaml");
        started.add(process);
        return process;
    }

    private static String command(String party) {
        return party.equals("server") ? "server" : "client";
    }

    private static void assertEnds(Path run, String party, Process process, int code) throws Exception {
        Launcher launcher = new Launcher(run.resolve(party));
        assertThat(process.waitFor(20, TimeUnit.MINUTES)).as(launcher.err()).isTrue();
        assertThat(process.exitValue()).as(launcher.err()).isEqualTo(code);
    }

    private static String lastLine(Path run, String party) throws IOException {
        List<String> lines = new Launcher(run.resolve(party)).err().lines().toList();
        return lines.get(lines.size() - 1);
    }
}
