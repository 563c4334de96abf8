package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.TinyFederation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The page, the JSON and the metrics of a made-up run. */
@Timeout(60)
class StatusServerTest {
    private static final Status STATUS = new Status(
            "0123456789abcdef",
            "round 2/6",
            "adapt",
            false,
            List.of(new Status.Client("a<script>", "training", 40, 3, 12), new Status.Client("b", "away", 0, 0, 0)),
            List.of(
                    new Status.Point(0, "warm-up 1/1", "warm-up", 3.5, 2),
                    new Status.Point(1, "round 1/6", "adapt", 2.5, 2),
                    new Status.Point(4, "round 2/6", "adapt", 1.5, 1)),
            1_000);

    private StatusServer server;

    @BeforeEach
    void start() throws Exception {
        server = new StatusServer(
                new Endpoint("127.0.0.1", 0, new Security.Plaintext("")),
                () -> STATUS,
                () -> new TreeMap<>(Map.of("accepted", 4L, "refused", 1L)));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void showsThePage() throws Exception {
        HttpResponse<String> page = get("/");
        assertThat(page.headers().firstValue("Content-Security-Policy").orElseThrow())
                .startsWith("default-src 'none'");
        assertThat(page.body())
                .contains("round 2/6, phase adapt.", "3 of 12", "width:25%", "<svg", "3.500", "1.500")
                .contains("a&lt;script&gt;")
                .doesNotContain("<script", "http://", "https://", "src=");
        // The line of the adapt phase: stages 1 and 4 of 0 to 4, losses 2.5 and 1.5 of 1.5 to 3.5.
        // x = 44 + 632 stage / 4; y = 216 - 172 (loss - 1.5) / 2.
        assertThat(page.body()).contains("points=\"202.0,130.0 676.0,216.0\"");
    }

    @Test
    void answersInJson() throws Exception {
        JsonNode status = new ObjectMapper().readTree(get("/status").body());
        assertThat(status.at("/round").asText()).isEqualTo("round 2/6");
        assertThat(status.at("/clients/0/step").asInt()).isEqualTo(3);
        assertThat(status.at("/curve/2/loss").asDouble()).isEqualTo(1.5);
    }

    /** Each line is a comment or a name, perhaps labels, and a number. */
    @Test
    void answersToPrometheus() throws Exception {
        HttpResponse<String> metrics = get("/metrics");
        Pattern line = Pattern.compile("# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\\{[a-z]+=\"[^\"]*\"})? [0-9.]+");
        assertThat(metrics.body().lines()).allMatch(text -> line.matcher(text).matches());
        assertThat(metrics.body())
                .contains(
                        "fedlora_phases_done 3\n",
                        "fedlora_clients_joined 1\n",
                        "fedlora_training_loss 1.5\n",
                        "fedlora_update_bytes_total 1000\n",
                        "fedlora_events_total{event=\"accepted\"} 4\n",
                        "fedlora_client_step{client=\"a<script>\"} 3\n");
        assertThat(metrics.headers().firstValue("Content-Type").orElseThrow()).startsWith("text/plain; version=0.0.4");
    }

    @Test
    void onlyReads() throws Exception {
        assertThat(get("/etc/passwd").statusCode()).isEqualTo(404);
        assertThat(get("/status/more").statusCode()).isEqualTo(404);
        HttpRequest post = HttpRequest.newBuilder(uri("/status"))
                .POST(HttpRequest.BodyPublishers.ofString("x"))
                .build();
        assertThat(HttpClient.newHttpClient()
                        .send(post, HttpResponse.BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(405);
    }

    /** A server that was started again has the curve of the one before, and does the last phase once more. */
    @Test
    void theCurveOutlivesTheServer(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("server.jsonl");
        List<String> shown = new ArrayList<>();
        RoundLog first = new RoundLog(EventLog.to(file, shown::add), file);
        for (int stage = 0; stage < 3; stage++) {
            first.phaseEnded(context(stage), result(stage));
        }
        Files.writeString(file, Files.readString(file) + "{\"event\":\"phase d");
        RoundLog again = new RoundLog(new EventLog(shown::add, InstantSource.system()), file);
        assertThat(again.curve()).isEqualTo(first.curve()).hasSize(3);
        again.phaseEnded(context(1), result(7));

        assertThat(again.curve()).extracting(Status.Point::loss).containsExactly(0.0, 7.0);
        assertThat(shown).anyMatch(line -> line.contains("a line of the log is no JSON"));
    }

    private static RoundContext context(int stage) throws Exception {
        return TinyFederation.settings(1).context(stage);
    }

    private static PhaseResult result(double loss) {
        TreeMap<String, PhaseResult.Training> clients = new TreeMap<>();
        clients.put("a", new PhaseResult.Training(loss, 5, 1));
        return new PhaseResult("phase", clients, new TreeMap<>(), 8, 8);
    }

    private HttpResponse<String> get(String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }
}
