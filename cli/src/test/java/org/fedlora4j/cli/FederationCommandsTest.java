package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.fedlora4j.benchmark.demo.DemoModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Server, clients, certificates and status in one process. What docs/federation.md shows is run by a test of its own in the
 * module {@code tests}.
 */
@Timeout(240)
class FederationCommandsTest {
    private static final String RECIPE = """
            recipe:
              name: short
              warm-up:
                rounds: 1
                phases:
                  - {name: warm-up, train: [A, B], share: [A, B], steps: 1, learning-rate: 1.0e-3}
              round:
                - {name: adapt, train: [A, B], share: [A, B], steps: 1, learning-rate: 1.0e-3}
                - {name: magnitude, train: [B.magnitude], share: [], steps: 1, learning-rate: 2.0e-2}
            """;

    @TempDir
    private Path folder;

    @Test
    void twoClientsAndAServerOverTls() throws Exception {
        Path model = DemoModel.unpack(folder.resolve("model"));
        Path certificates = folder.resolve("certs");
        assertThat(Cli.run("certs", certificates, "--server", "127.0.0.1", "--client", "a", "--client", "b"))
                .isEqualTo(new Cli(
                        0,
                        "wrote " + certificates + ": authority, server 127.0.0.1, clients a, b"
                                + System.lineSeparator(),
                        ""));
        int port = freePort();
        int statusPort = freePort();
        Path server = Files.writeString(
                folder.resolve("server.yaml"), """
                model: %1$s
                output: %2$s/server
                clients: [a, b]
                rounds: 1
                template: short
                listen: 127.0.0.1:%3$d
                status: 127.0.0.1:%4$d
                round-timeout: 120
                tls: {authority: %2$s/certs/authority.pem, certificate: %2$s/certs/server.pem, key: %2$s/certs/server.key}
                """.formatted(model, folder, port, statusPort) + RECIPE);
        ExecutorService threads = Executors.newCachedThreadPool();
        try {
            Future<Cli> served = threads.submit(() -> Cli.run("server", server));
            Future<Cli> a = threads.submit(() -> Cli.run("client", client("a", model, port)));
            String status = waitFor(statusPort, "a: ");
            assertThat(status).startsWith("run ").contains("b: away", "warm-up 1/1, phase warm-up");
            assertThat(Cli.run("status", "http://127.0.0.1:" + statusPort + "/", "--json")
                            .out())
                    .contains("\"phase\" : \"warm-up\"");
            Future<Cli> b = threads.submit(() -> Cli.run("client", client("b", model, port)));
            for (Future<Cli> command : List.of(a, b, served)) {
                Cli result = command.get(200, TimeUnit.SECONDS);
                assertThat(result.err()).isEmpty();
                assertThat(result.code()).isZero();
            }
        } finally {
            threads.shutdownNow();
        }
        for (String adapter : List.of("server/adapters/global", "a/adapters/global", "b/adapters/global")) {
            assertThat(Files.readAllBytes(folder.resolve(adapter).resolve("adapter_model.safetensors")))
                    .as(adapter)
                    .isEqualTo(Files.readAllBytes(folder.resolve("server/adapters/global/adapter_model.safetensors")));
        }
        assertThat(Files.readAllBytes(folder.resolve("a/adapters/own/adapter_model.safetensors")))
                .isNotEqualTo(Files.readAllBytes(folder.resolve("b/adapters/own/adapter_model.safetensors")));
        assertThat(Files.readAllLines(folder.resolve("a/audit.jsonl")))
                .filteredOn(line -> line.contains("\"event\":\"leaves\""))
                .hasSize(3);
        assertThat(Files.readString(folder.resolve("server/server.jsonl"))).contains("\"event\":\"done\"");
    }

    @Test
    void saysWhatIsWrongWithTheFiles() throws Exception {
        Path server = Files.writeString(folder.resolve("server.yaml"), """
                model: m
                output: o
                clients: []
                listen: here
                norm: 3
                plaintext: true
                """);
        assertThat(Cli.run("server", server).err())
                .startsWith("fedlora: " + server + ": ")
                .contains("clients: empty, wanted at least one", "norm: unknown");
        Path beyond = Files.writeString(
                folder.resolve("beyond.yaml"), """
                model: %s
                output: %s/o
                clients: [a]
                listen: 0.0.0.0:0
                plaintext: true
                """.formatted(DemoModel.unpack(folder.resolve("model")), folder));
        assertThat(Cli.run("server", beyond).err())
                .contains("plaintext: 0.0.0.0 is 0.0.0.0, wanted a loopback address");
        Path client = Files.writeString(folder.resolve("client.yaml"), "{server: nowhere, model: m, output: o}");
        assertThat(Cli.run("client", client).err())
                .contains("tls: missing, wanted an object", "data: missing, wanted an object");
        assertThat(Cli.run("status", "http://127.0.0.1:" + freePort()).err())
                .contains("no answer, wanted a server's status page");
        assertThat(Cli.run("certs", folder.resolve("c"), "--client", "../x").err())
                .contains("client '../x': wanted letters, digits");
        assertThat(Cli.run("certs", folder.resolve("c"), "--days", "0").err()).contains("--days 0: wanted at least 1");
    }

    private Path client(String id, Path model, int port) throws Exception {
        Path data = Files.writeString(folder.resolve(id + ".jsonl"), """
                {"instruction": "Say %1$s.", "output": "%1$s."}
                {"instruction": "Say it twice.", "output": "%1$s, %1$s."}
                """.formatted(id));
        return Files.writeString(folder.resolve(id + ".yaml"), """
                server: 127.0.0.1:%3$d
                model: %1$s
                output: %2$s/%4$s
                data: {train: %5$s}
                tls: {authority: %2$s/certs/authority.pem, certificate: %2$s/certs/%4$s.pem, key: %2$s/certs/%4$s.key}
                """.formatted(model, folder, port, id, data));
    }

    /** What the status command prints, once it holds a text. */
    private static String waitFor(int port, String text) throws Exception {
        while (true) {
            Cli status = Cli.run("status", "http://127.0.0.1:" + port);
            if (status.out().contains(text) && !status.out().contains("a: away")) {
                return status.out();
            }
            Thread.sleep(100);
        }
    }

    private static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
