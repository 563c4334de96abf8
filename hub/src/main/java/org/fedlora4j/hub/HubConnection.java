package org.fedlora4j.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscribers;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.hub.ByteRanges.Range;
import org.jspecify.annotations.Nullable;

/**
 * GET requests to the hub and to the hosts it sends us to. Redirects are followed here: the token must reach no other
 * origin than the endpoint's. Safe for use by several threads.
 */
final class HubConnection {
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(15);
    private static final int MOST_REDIRECTS = 10;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);

    private final HubSettings settings;
    private final Duration silenceLimit;
    private final HttpClient client;
    private volatile boolean reached;

    /** @param silenceLimit how long a server may send nothing until the connection counts as cut */
    HubConnection(HubSettings settings, Duration silenceLimit) {
        this.settings = settings;
        this.silenceLimit = silenceLimit;
        // HTTP/2 would put all requests to a host on one connection.
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(CONNECT_LIMIT)
                .build();
    }

    /**
     * An answer whose body is still to be read, and closed.
     *
     * @param fromEndpoint whether the endpoint itself answered, not a host it redirected to
     */
    record Answer(int status, HttpHeaders headers, boolean fromEndpoint, InputStream body) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            body.close();
        }
    }

    /** A failure that may pass, with the pause that the server asks for. */
    static final class TransientException extends IOException {
        private static final long serialVersionUID = 1L;

        private final @Nullable String retryAfter;

        TransientException(String message, @Nullable String retryAfter) {
            super(message);
            this.retryAfter = retryAfter;
        }

        @Nullable
        String retryAfter() {
            return retryAfter;
        }
    }

    /** Whether any host has answered yet. */
    boolean reached() {
        return reached;
    }

    HubSettings settings() {
        return settings;
    }

    /** The endpoint's address with a path, escaped already, behind it. */
    URI address(String path) {
        return URI.create(settings.endpoint() + path);
    }

    /**
     * Asks for a resource or a range of it.
     *
     * @throws TransientException on 408, 429, 5xx, and where a storage host refuses, whose addresses expire
     * @throws IOException where the network fails
     */
    Answer get(URI address, @Nullable Range range) throws IOException {
        URI at = address;
        for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
            Answer answer = send(at, range);
            int status = answer.status();
            if (!REDIRECTS.contains(status)) {
                boolean refusedByStorage = !answer.fromEndpoint() && (status == 401 || status == 403);
                if (status == 408 || status == 429 || status >= 500 || refusedByStorage) {
                    answer.close();
                    throw new TransientException(
                            at.getHost() + " answers " + status,
                            answer.headers().firstValue("Retry-After").orElse(null));
                }
                return answer;
            }
            answer.close();
            at = target(at, answer.headers().firstValue("Location").orElse(""));
        }
        throw new BadInputException(settings.endpoint() + ": more than " + MOST_REDIRECTS + " redirects");
    }

    boolean isEndpoint(URI address) {
        return origin(address).equals(origin(settings.endpoint()));
    }

    private Answer send(URI address, @Nullable Range range) throws IOException {
        boolean endpoint = isEndpoint(address);
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .header("User-Agent", "fedlora4j")
                .header("Accept-Encoding", "identity"); // sizes and ranges are those of the file itself
        if (range != null) {
            request.header("Range", "bytes=" + range.start() + "-" + (range.end() - 1));
        }
        if (endpoint && settings.token() != null) {
            request.header("Authorization", "Bearer " + settings.token());
        }
        BodyHandler<InputStream> body = info -> REDIRECTS.contains(info.statusCode())
                ? BodySubscribers.replacing(InputStream.nullInputStream()) // read to its end: the connection stays
                : BodySubscribers.ofInputStream();
        CompletableFuture<HttpResponse<InputStream>> future = client.sendAsync(request.build(), body);
        try {
            HttpResponse<InputStream> response =
                    future.get(CONNECT_LIMIT.plus(silenceLimit).toMillis(), TimeUnit.MILLISECONDS);
            reached = true;
            return new Answer(
                    response.statusCode(),
                    response.headers(),
                    endpoint,
                    new WatchedStream(response.body(), silenceLimit));
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException network ? network : new IOException(e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("no answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        } finally {
            future.cancel(true); // does nothing once it is complete
        }
    }

    /** Where a redirect leads. The address is never printed: it may hold a signature. */
    static URI target(URI from, String location) {
        @Nullable URI to;
        try {
            to = from.resolve(location);
        } catch (IllegalArgumentException e) {
            to = null;
        }
        boolean secure = to != null && "https".equalsIgnoreCase(to.getScheme());
        boolean plain = to != null && "http".equalsIgnoreCase(to.getScheme());
        if (to == null || location.isEmpty() || to.getHost() == null || !(secure || plain)) {
            throw new BadInputException(from.getHost() + ": redirects to what is no http address");
        }
        if (plain && "https".equalsIgnoreCase(from.getScheme())) {
            throw new BadInputException(from.getHost() + ": redirects from https to http at " + to.getHost()
                    + ", which is not safe and so not followed");
        }
        return to;
    }

    private static String origin(URI address) {
        String scheme = address.getScheme().toLowerCase(Locale.ROOT);
        int port = address.getPort() >= 0 ? address.getPort() : scheme.equals("https") ? 443 : 80;
        return scheme + "://" + address.getHost().toLowerCase(Locale.ROOT) + ":" + port;
    }
}
