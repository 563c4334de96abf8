package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Exit codes and what is printed; what is downloaded is tested in {@code hub}. */
class DownloadCommandTest {
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine commandLine =
            Main.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));

    /** Body of the answer to each path; others are answered with 404. */
    private final Map<String, String> answers = new ConcurrentHashMap<>();

    private HttpServer hub;
    private Map<String, String> environment;

    @TempDir
    Path folder;

    @BeforeEach
    void start() throws IOException {
        hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        hub.createContext("/", this::answer);
        hub.start();
        environment = new TreeMap<>(Map.of(
                "HF_ENDPOINT",
                "http://localhost:" + hub.getAddress().getPort(),
                "HF_HOME",
                folder.resolve("hf").toString(),
                "HF_TOKEN",
                "hf_secret"));
        // The hashes are git's of "{}" and of an empty file.
        answers.put("/api/models/org/model/revision/main", "{\"sha\": \"" + COMMIT + "\"}");
        answers.put("/api/models/org/model/tree/" + COMMIT, """
                [{"type": "file", "path": "config.json", "size": 2,
                  "oid": "9e26dfeeb6e641a33dae4961196235bdb965b21b"},
                 {"type": "file", "path": "model.safetensors", "size": 0,
                  "oid": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"}]
                """);
        answers.put("/org/model/resolve/" + COMMIT + "/config.json", "{}");
    }

    @AfterEach
    void stop() {
        hub.stop(0);
    }

    @Test
    void printsTheFolderThatConvertTakes() {
        assertThat(download("org/model")).as(err.toString()).isZero();
        Path snapshot = folder.resolve("hf/hub/models--org--model/snapshots").resolve(COMMIT);
        assertThat(out.toString()).isEqualTo(snapshot + System.lineSeparator());
        assertThat(snapshot.resolve("config.json")).hasContent("{}");

        hub.stop(0);
        environment.put("HF_HUB_OFFLINE", "1");
        Path target = folder.resolve("target");
        assertThat(download("org/model", "--to", target.toString(), "--file", "config.json"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).endsWith(target.resolve("config.json") + System.lineSeparator());
        assertThat(target.resolve("config.json")).hasContent("{}");
    }

    @Test
    void theUsersMistakesAreOneLineAndCode2() {
        assertThat(download("a/b/c")).isEqualTo(2);
        assertThat(download("org/model", "--revision", "../x")).isEqualTo(2);
        assertThat(download("org/other")).isEqualTo(2);
        assertThat(download("org/model", "--file", "none")).isEqualTo(2);
        assertThat(download("org/model", "--connections", "0")).isEqualTo(2);
        answers.remove("/org/model/resolve/" + COMMIT + "/config.json");
        assertThat(download("org/model")).isEqualTo(2);
        environment.put("HF_ENDPOINT", "nonsense");
        assertThat(download("org/model")).isEqualTo(2);
        assertThat(err.toString().lines())
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("fedlora: repository: found 'a/b/c'"),
                        line -> assertThat(line).startsWith("fedlora: revision: found '../x'"),
                        line -> assertThat(line).startsWith("fedlora: org/other: no such model on http://localhost"),
                        line -> assertThat(line).isEqualTo("fedlora: org/model: no file none at revision main"),
                        line -> assertThat(line).isEqualTo("fedlora: connections: found 0, wanted 1 to 64"),
                        line -> assertThat(line)
                                .isEqualTo("fedlora: org/model: no file config.json at revision main (404)"),
                        line -> assertThat(line).startsWith("fedlora: HF_ENDPOINT: "));
        assertThat(err.toString()).doesNotContain("hf_secret").doesNotContain("\tat ");
    }

    @Test
    void anUnreachableHubIsOneLineAndCode1() {
        hub.stop(0);
        assertThat(download("org/model")).isEqualTo(1);
        assertThat(err.toString().lines())
                .containsExactly("fedlora: org/model: " + environment.get("HF_ENDPOINT")
                        + " is not reachable: connection refused; the same command goes on from here");
    }

    private int download(String... arguments) {
        DownloadCommand command = Objects.requireNonNull(
                        commandLine.getSubcommands().get("download"))
                .getCommand();
        command.setEnvironment(environment);
        String[] all = new String[arguments.length + 1];
        all[0] = "download";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return Main.run(commandLine, all);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String answer = answers.get(exchange.getRequestURI().getPath());
            byte[] body = (answer == null ? "" : answer).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer == null ? 404 : 200, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
