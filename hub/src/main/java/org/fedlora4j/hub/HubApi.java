package org.fedlora4j.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.hub.ByteRanges.Range;
import org.fedlora4j.hub.HubConnection.Answer;
import org.jspecify.annotations.Nullable;

/** The hub's interface for models: {@code /api/models/REPO/revision/R}, {@code /api/models/REPO/tree/COMMIT}. */
final class HubApi {
    private static final int LONGEST_ANSWER = 32 << 20;
    private static final int MOST_PAGES = 200;
    private static final Pattern NEXT_PAGE = Pattern.compile("<([^>]*)>\\s*;[^,]*\\brel=\"?next\"?");
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final HubConnection connection;
    private final Duration firstPause;
    private final ModelRevision model;
    private final Progress progress;

    HubApi(HubConnection connection, Duration firstPause, ModelRevision model, Progress progress) {
        this.connection = connection;
        this.firstPause = firstPause;
        this.model = model;
        this.progress = progress;
    }

    /** The commit that the revision stands for now. */
    String commit() throws IOException {
        String path = "/api/models/" + model.repository() + "/revision/" + escaped(model.revision());
        String commit = get(connection.address(path)).json().path("sha").asText();
        if (!ModelRevision.isCommit(commit)) {
            throw new BadInputException(model + ": the hub's answer names the commit '"
                    + RepositoryPath.printable(commit) + "', wanted 40 hexadecimal digits");
        }
        return commit;
    }

    /** The files of a commit, by path. */
    Map<String, HubFile> files(String commit) throws IOException {
        Map<String, HubFile> files = new LinkedHashMap<>();
        @Nullable
        URI next = connection.address("/api/models/" + model.repository() + "/tree/" + commit + "?recursive=true");
        for (int page = 0; next != null; page++) {
            if (page == MOST_PAGES) {
                throw new BadInputException(model + ": the hub's list of files has more than " + MOST_PAGES + " pages");
            }
            Page answer = get(next);
            if (!answer.json().isArray()) {
                throw new BadInputException(model + ": the hub's list of files is no JSON array");
            }
            for (JsonNode entry : answer.json()) {
                if (entry.path("type").asText().equals("file")) {
                    HubFile file = file(entry);
                    files.put(file.path(), file);
                }
            }
            next = answer.next();
        }
        return files;
    }

    ModelRevision model() {
        return model;
    }

    /** Tries for the request of a file. */
    Retry retry(HubFile file) {
        return new Retry(connection, firstPause, model + ": " + file.path(), progress);
    }

    /** Asks for a file of a commit or a range of it. */
    Answer get(String commit, HubFile file, @Nullable Range range) throws IOException {
        return connection.get(address(commit, file), range);
    }

    private URI address(String commit, HubFile file) {
        StringBuilder path = new StringBuilder("/" + model.repository() + "/resolve/" + commit);
        for (String part : file.path().split("/", -1)) {
            path.append('/').append(escaped(part));
        }
        return connection.address(path.toString());
    }

    /** What to tell the user of an answer that brings nothing and won't if asked again. */
    BadInputException refusal(Answer answer, @Nullable HubFile file) {
        HubSettings settings = connection.settings();
        return new BadInputException(
                switch (answer.status()) {
                    case 401, 403 ->
                        model + ": " + settings.endpoint() + " refuses it (" + answer.status()
                                + "): there is none of that name, or it is private or gated; "
                                + settings.describeToken()
                                + "; the licence of a gated repository must be accepted at " + settings.endpoint() + "/"
                                + model;
                    case 404 ->
                        file != null
                                ? model + ": no file " + file.path() + " at revision " + model.revision() + " (404)"
                                : answer.headers()
                                                .firstValue("X-Error-Code")
                                                .orElse("")
                                                .equals("RevisionNotFound")
                                        ? model + ": no revision " + model.revision() + " (404)"
                                        : model + ": no such model on " + settings.endpoint() + " (404)";
                    default ->
                        model + (file == null ? "" : ": " + file.path()) + ": the hub answers " + answer.status()
                                + ", wanted 200";
                });
    }

    private record Page(JsonNode json, @Nullable URI next) {}

    private Page get(URI address) throws IOException {
        return new Retry(connection, firstPause, model.toString(), progress).run(() -> {
            try (Answer answer = connection.get(address, null)) {
                if (answer.status() != 200) {
                    throw refusal(answer, null);
                }
                byte[] body = answer.body().readNBytes(LONGEST_ANSWER + 1);
                if (body.length > LONGEST_ANSWER) {
                    throw new BadInputException(
                            model + ": the hub's answer is longer than " + LONGEST_ANSWER + " bytes");
                }
                return new Page(parse(body), next(answer));
            }
        });
    }

    private JsonNode parse(byte[] body) {
        try {
            return MAPPER.readTree(body);
        } catch (IOException e) { // of JSON or of its encoding: the bytes are in memory
            throw new BadInputException(
                    model + ": the hub's answer is no JSON ("
                            + connection.settings().endpoint() + ")",
                    e);
        }
    }

    /** The next page, from a header such as {@code Link: <https://...>; rel="next"}. */
    private @Nullable URI next(Answer answer) {
        Matcher matcher = NEXT_PAGE.matcher(String.join(",", answer.headers().allValues("Link")));
        if (!matcher.find()) {
            return null;
        }
        try {
            URI next = connection.settings().endpoint().resolve(matcher.group(1));
            if (connection.isEndpoint(next)) {
                return next;
            }
        } catch (IllegalArgumentException | NullPointerException e) {
            // neither is another host, or no address at all, a next page
        }
        throw new BadInputException(model + ": the hub's list of files goes on at another host");
    }

    private HubFile file(JsonNode entry) {
        String path = entry.path("path").asText();
        JsonNode large = entry.path("lfs");
        JsonNode size = (large.isObject() ? large : entry).path("size");
        if (!size.isIntegralNumber() || !size.canConvertToLong()) {
            throw new BadInputException(model + ": the hub lists " + RepositoryPath.printable(path) + " with the size "
                    + RepositoryPath.printable(size.toString()) + ", wanted a number of bytes");
        }
        return new HubFile(
                path,
                size.asLong(),
                (large.isObject() ? large : entry).path("oid").asText());
    }

    private static String escaped(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
