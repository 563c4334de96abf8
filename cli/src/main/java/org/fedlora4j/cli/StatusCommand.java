package org.fedlora4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.fedlora4j.common.BadInputException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows how a server's run stands. */
@Command(
        name = "status",
        description = "Show how a server's run stands: the round, the clients, the training loss.",
        footer = {"", "Example:", "  ./fedlora status http://127.0.0.1:7480"})
final class StatusCommand implements Callable<Integer> {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "URL",
            defaultValue = "http://127.0.0.1:7480",
            description = "Of the server's status page; ${DEFAULT-VALUE} by default.")
    private String url;

    @Option(names = "--json", description = "Print the server's answer, in JSON.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        String answer = fetch();
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.print(answer);
            out.flush();
            return 0;
        }
        JsonNode status = parse(answer);
        String round = status.path("round").asText();
        out.println("run " + status.path("run").asText() + ": "
                + (status.path("finished").asBoolean()
                        ? "finished"
                        : round.isEmpty()
                                ? "between phases"
                                : round + ", phase " + status.path("phase").asText()));
        for (JsonNode client : status.path("clients")) {
            int steps = client.path("steps").asInt();
            out.println("  " + client.path("id").asText() + ": "
                    + client.path("state").asText()
                    + (steps > 0 ? ", step " + client.path("step").asInt() + " of " + steps : ""));
        }
        for (JsonNode point : status.path("curve")) {
            out.println(String.format(
                    Locale.ROOT,
                    "  %s, %s: mean training loss %.4f, %d clients",
                    point.path("round").asText(),
                    point.path("phase").asText(),
                    point.path("loss").asDouble(),
                    point.path("clients").asInt()));
        }
        out.flush();
        return 0;
    }

    private String fetch() throws IOException {
        try {
            URI status = URI.create(url.replaceAll("/+$", "") + "/status");
            HttpRequest request =
                    HttpRequest.newBuilder(status).timeout(TIMEOUT).build();
            HttpResponse<String> response = HttpClient.newBuilder()
                    .connectTimeout(TIMEOUT)
                    .build()
                    .send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new BadInputException(
                        status + ": answers " + response.statusCode() + ", wanted a server's status");
            }
            return response.body();
        } catch (IllegalArgumentException e) {
            throw e instanceof BadInputException known
                    ? known
                    : new BadInputException(url + ": no URL, wanted one such as http://127.0.0.1:7480", e);
        } catch (IOException e) {
            throw new BadInputException(url + ": no answer, wanted a server's status page", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private JsonNode parse(String answer) {
        try {
            JsonNode status = new ObjectMapper().readTree(answer);
            if (!status.has("run")) {
                throw new BadInputException(url + ": no status of a server");
            }
            return status;
        } catch (JsonProcessingException e) {
            throw new BadInputException(url + ": answers no JSON, wanted a server's status", e);
        }
    }
}
