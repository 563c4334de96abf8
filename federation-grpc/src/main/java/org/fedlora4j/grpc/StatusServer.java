package org.fedlora4j.grpc;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Shows how a run stands: a page at {@code /}, JSON at {@code /status}, Prometheus' text format at {@code /metrics}. It only
 * reads.
 */
final class StatusServer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final HttpServer server;
    private final Supplier<Status> status;
    private final Supplier<Map<String, Long>> events;

    /**
     * Begins to listen.
     *
     * @param events how often each event of the log happened
     */
    StatusServer(Endpoint endpoint, Supplier<Status> status, Supplier<Map<String, Long>> events) throws IOException {
        this.status = status;
        this.events = events;
        this.server = HttpServer.create(new InetSocketAddress(endpoint.host(), endpoint.port()), 0);
        server.createContext("/", exchange -> answer(exchange, "/", "text/html; charset=utf-8", this::page));
        server.createContext(
                "/status", exchange -> answer(exchange, "/status", "application/json; charset=utf-8", this::json));
        server.createContext(
                "/metrics",
                exchange -> answer(exchange, "/metrics", "text/plain; version=0.0.4; charset=utf-8", this::metrics));
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private interface Body {
        String get() throws IOException;
    }

    private static void answer(HttpExchange exchange, String path, String type, Body body) throws IOException {
        try (exchange) {
            boolean found = exchange.getRequestURI().getPath().equals(path);
            boolean reads = exchange.getRequestMethod().equals("GET");
            int code = !found ? 404 : reads ? 200 : 405;
            byte[] bytes = (code == 200 ? body.get() : code + "\n").getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", code == 200 ? type : "text/plain");
            exchange.getResponseHeaders().set("Cache-Control", "no-store");
            exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
            exchange.getResponseHeaders()
                    .set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
            exchange.sendResponseHeaders(code, bytes.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(bytes);
            }
        }
    }

    private String page() {
        return StatusPage.html(status.get());
    }

    private String json() throws IOException {
        return JSON.writeValueAsString(status.get()) + "\n";
    }

    private String metrics() {
        Status now = status.get();
        StringBuilder text = new StringBuilder();
        gauge(text, "fedlora_finished", "Whether the result is there.", now.finished() ? 1 : 0);
        gauge(
                text,
                "fedlora_phases_done",
                "Phases of the run that are done.",
                now.curve().size());
        gauge(
                text,
                "fedlora_clients",
                "Clients that may take part.",
                now.clients().size());
        gauge(text, "fedlora_clients_joined", "Clients that joined.", (double) now.clients().stream()
                .filter(client -> !client.state().equals("away"))
                .count());
        if (!now.curve().isEmpty()) {
            gauge(
                    text,
                    "fedlora_training_loss",
                    "Mean training loss of the last phase, in nats.",
                    now.curve().get(now.curve().size() - 1).loss());
        }
        head(text, "fedlora_update_bytes_total", "Payload of the updates that were accepted.", "counter");
        text.append("fedlora_update_bytes_total ").append(now.updateBytes()).append('\n');
        head(text, "fedlora_events_total", "Lines of the log, by event.", "counter");
        events.get()
                .forEach((event, count) -> text.append("fedlora_events_total{event=\"")
                        .append(event)
                        .append("\"} ")
                        .append(count)
                        .append('\n'));
        head(text, "fedlora_client_step", "The step that a client is at.", "gauge");
        for (Status.Client client : now.clients()) {
            String id = client.id().replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
            text.append("fedlora_client_step{client=\"")
                    .append(id)
                    .append("\"} ")
                    .append(client.step())
                    .append('\n');
        }
        return text.toString();
    }

    private static void gauge(StringBuilder text, String name, String help, double value) {
        head(text, name, help, "gauge");
        text.append(name)
                .append(' ')
                .append(value == Math.rint(value) ? String.format(Locale.ROOT, "%.0f", value) : Double.toString(value))
                .append('\n');
    }

    private static void head(StringBuilder text, String name, String help, String type) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }
}
