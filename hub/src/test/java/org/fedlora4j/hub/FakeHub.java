package org.fedlora4j.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Plays the hub, and the storage host to which it redirects for large files, each on a port of its own. Answers as the
 * hub does for its own client too ({@link ServeFolder}).
 */
final class FakeHub implements AutoCloseable {
    static final String REPOSITORY = "org/model";
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    static {
        System.setProperty("sun.net.httpserver.nodelay", "true"); // else each answer waits 40 ms for an ACK
    }

    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d*)");
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** One GET as it was answered; {@code sent} bytes of the body left the server from {@code start} on. */
    record Request(String path, boolean storage, @Nullable String authorization, int status, long start, long sent) {}

    private final HttpServer hub;
    private final HttpServer storage;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, byte[]> files = new TreeMap<>();
    private final List<String> large = new ArrayList<>();
    private final Map<String, Queue<Fault>> faults = new ConcurrentHashMap<>();
    private final List<Request> requests = Collections.synchronizedList(new ArrayList<>());

    /** Whether the servers know ranges. */
    volatile boolean ranges = true;

    /** Whether the token {@code hf_secret} is needed. */
    volatile boolean needsToken;

    /** Replaces the list of files. */
    volatile byte @Nullable [] listing;

    FakeHub() throws IOException {
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        hub = HttpServer.create(anyPort, 0);
        storage = HttpServer.create(anyPort, 0);
        hub.createContext("/", exchange -> answer(exchange, false));
        storage.createContext("/", exchange -> answer(exchange, true));
        for (HttpServer server : List.of(hub, storage)) {
            server.setExecutor(threads);
            server.start();
        }
    }

    /** A file in git itself. */
    FakeHub with(String path, byte[] content) {
        files.put(path, content);
        return this;
    }

    FakeHub with(String path, String content) {
        return with(path, content.getBytes(StandardCharsets.UTF_8));
    }

    /** A file in large file storage, on the other host. */
    FakeHub withLarge(String path, byte[] content) {
        large.add(path);
        return with(path, content);
    }

    /** The next answers to requests for a file, or for another path of either host, go wrong so, one each. */
    FakeHub failing(String path, Fault... next) {
        faults.computeIfAbsent(path, key -> new ConcurrentLinkedQueue<>()).addAll(List.of(next));
        return this;
    }

    /** Nothing goes wrong with a path any more. */
    FakeHub forget(String path) {
        faults.remove(path);
        return this;
    }

    String endpoint() {
        return "http://localhost:" + hub.getAddress().getPort();
    }

    /** All GET requests so far. */
    List<Request> requests() {
        synchronized (requests) {
            return List.copyOf(requests);
        }
    }

    /** Those that were answered with bytes of files. */
    List<Request> downloads() {
        return requests().stream().filter(request -> request.sent() > 0).toList();
    }

    /** Bytes sent of a file. */
    long sent(String path) {
        return downloads().stream()
                .filter(request -> request.path().equals(path))
                .mapToLong(Request::sent)
                .sum();
    }

    byte[] content(String path) {
        byte[] content = files.get(path);
        if (content == null) {
            throw new IllegalArgumentException(path);
        }
        return content;
    }

    String etag(String path) {
        return etag(content(path), large.contains(path));
    }

    static String etag(byte[] content, boolean large) {
        try {
            MessageDigest digest = MessageDigest.getInstance(large ? "SHA-256" : "SHA-1");
            if (!large) {
                digest.update(("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(digest.digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        hub.stop(0);
        storage.stop(0);
        threads.shutdownNow();
    }

    private void answer(HttpExchange exchange, boolean onStorage) {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            String resolve = "/" + REPOSITORY + "/resolve/";
            String name = onStorage
                    ? URLDecoder.decode(path.substring(1), StandardCharsets.UTF_8)
                    : path.startsWith(resolve) ? path.substring(path.indexOf('/', resolve.length()) + 1) : path;
            boolean leads = !onStorage && large.contains(name);
            Fault fault = leads ? null : poll(name);
            if (fault == null && needsToken && !onStorage && !"Bearer hf_secret".equals(authorization(exchange))) {
                fault = Fault.status(401, "X-Error-Code", "GatedRepo");
            }
            if (fault != null && fault.status() > 0) {
                fault.headers().forEach(exchange.getResponseHeaders()::set);
                send(exchange, name, onStorage, fault.status(), new byte[0], 0, null);
            } else if (leads) {
                redirect(exchange, name);
            } else if (files.containsKey(name)) {
                file(exchange, name, onStorage, fault);
            } else {
                if (fault != null) {
                    fault.headers().forEach(exchange.getResponseHeaders()::set);
                }
                byte[] json = fault != null && fault.body() != null ? fault.body() : api(path);
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                if (json == null) {
                    exchange.getResponseHeaders()
                            .set("X-Error-Code", path.contains("/revision/") ? "RevisionNotFound" : "EntryNotFound");
                }
                send(exchange, name, onStorage, json == null ? 404 : 200, json == null ? new byte[0] : json, 0, fault);
            }
        } catch (IOException e) {
            // the client went away, or the fault was to cut the connection
        }
    }

    private @Nullable Fault poll(String name) {
        Queue<Fault> queue = faults.get(name);
        return queue == null ? null : queue.poll();
    }

    private void redirect(HttpExchange exchange, String name) throws IOException {
        headers(exchange, name);
        exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + etag(name) + "\"");
        exchange.getResponseHeaders().set("X-Linked-Size", Integer.toString(content(name).length));
        exchange.getResponseHeaders()
                .set("Location", "http://127.0.0.1:" + storage.getAddress().getPort() + "/" + name);
        send(exchange, name, false, 302, new byte[0], 0, null);
    }

    private void file(HttpExchange exchange, String name, boolean onStorage, @Nullable Fault fault) throws IOException {
        byte[] content = fault != null && fault.body() != null ? fault.body() : content(name);
        headers(exchange, name);
        exchange.getResponseHeaders().set("ETag", "\"" + etag(name) + "\"");
        String range = exchange.getRequestHeaders().getFirst("Range");
        Matcher matcher = RANGE.matcher(range == null ? "" : range);
        if (!ranges || (fault != null && fault.whole()) || !matcher.matches()) {
            send(exchange, name, onStorage, 200, content, 0, fault);
            return;
        }
        int start = Integer.parseInt(matcher.group(1));
        int end = matcher.group(2).isEmpty() ? content.length : Integer.parseInt(matcher.group(2)) + 1;
        if (start >= content.length) {
            send(exchange, name, onStorage, 416, new byte[0], 0, fault);
            return;
        }
        byte[] part = Arrays.copyOfRange(content, start, Math.min(end, content.length));
        exchange.getResponseHeaders()
                .set("Content-Range", "bytes " + start + "-" + (start + part.length - 1) + "/" + content.length);
        send(exchange, name, onStorage, 206, part, start, fault);
    }

    private void headers(HttpExchange exchange, String name) {
        exchange.getResponseHeaders().set("X-Repo-Commit", COMMIT);
        exchange.getResponseHeaders().set("Accept-Ranges", ranges ? "bytes" : "none");
        exchange.getResponseHeaders().set("Content-Disposition", "inline; filename=\"" + name + "\"");
    }

    private void send(
            HttpExchange exchange,
            String name,
            boolean onStorage,
            int status,
            byte[] body,
            int start,
            @Nullable Fault fault)
            throws IOException {
        exchange.getRequestBody().readAllBytes();
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", Integer.toString(body.length));
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        int length =
                fault == null || fault.cutAfter() < 0 ? body.length : (int) Math.min(fault.cutAfter(), body.length);
        boolean isFile = files.containsKey(name) && (status == 200 || status == 206);
        requests.add(new Request(name, onStorage, authorization(exchange), status, start, isFile ? length : 0));
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body, 0, length);
        exchange.getResponseBody().flush();
        if (fault != null && fault.silent()) {
            try {
                Thread.sleep(60_000); // until the test is over
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private byte @Nullable [] api(String path) {
        String models = "/api/models/" + REPOSITORY;
        try {
            if (path.equals(models + "/revision/main") || path.equals(models + "/revision/" + COMMIT)) {
                return MAPPER.writeValueAsBytes(
                        MAPPER.createObjectNode().put("id", REPOSITORY).put("sha", COMMIT));
            }
            if (!path.equals(models + "/tree/" + COMMIT)) {
                return null;
            }
            return listing == null ? MAPPER.writeValueAsBytes(tree()) : listing;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ArrayNode tree() {
        ArrayNode tree = MAPPER.createArrayNode();
        files.forEach((path, content) -> {
            ObjectNode entry =
                    tree.addObject().put("type", "file").put("path", path).put("size", content.length);
            entry.put("oid", etag(content, false));
            if (large.contains(path)) {
                entry.putObject("lfs")
                        .put("oid", etag(content, true))
                        .put("size", content.length)
                        .put("pointerSize", 130);
            }
        });
        tree.addObject()
                .put("type", "directory")
                .put("path", "onnx")
                .put("size", 0)
                .put("oid", COMMIT);
        return tree;
    }

    private static @Nullable String authorization(HttpExchange exchange) {
        return exchange.getRequestHeaders().getFirst("Authorization");
    }
}
