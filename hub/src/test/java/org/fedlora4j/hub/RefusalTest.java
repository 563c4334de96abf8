package org.fedlora4j.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.hub.FakeHub.Request;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the hub refuses, and what of the hub is refused. */
class RefusalTest extends HubTest {
    private static final String TREE = "/api/models/org/model/tree/" + FakeHub.COMMIT;
    private static final String REVISION = "/api/models/org/model/revision/main";
    private static final String SHA1 = "0".repeat(40);

    @Test
    void theTokenGoesToTheEndpointOnly() throws IOException {
        hub.needsToken = true;
        downloader(settings(false, "hf_secret"), 4).download(model("main"), List.of(), null);
        assertThat(hub.requests())
                .filteredOn(Request::storage)
                .isNotEmpty()
                .allSatisfy(request -> assertThat(request.authorization()).isNull());
        assertThat(hub.requests())
                .filteredOn(request -> !request.storage())
                .isNotEmpty()
                .allSatisfy(request -> assertThat(request.authorization()).isEqualTo("Bearer hf_secret"));
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403})
    void aGatedRepositorySaysWhatToDo(int status) {
        hub.failing(REVISION, Fault.status(status), Fault.status(status));
        assertRefused(
                "org/model: " + hub.endpoint() + " refuses it (" + status + "): there is none of that name, or it "
                        + "is private or gated; set HF_TOKEN, or write a token to " + folder.resolve("token")
                        + "; the licence of a gated repository must be accepted at " + hub.endpoint() + "/org/model");
        assertThatThrownBy(() -> downloader(settings(false, "hf_secret"), 1).download(model("main"), List.of(), null))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("the token in HF_TOKEN, or else in " + folder.resolve("token"))
                .hasMessageNotContaining("hf_secret");
    }

    @Test
    void whatIsNotThereIsNamed() {
        assertThatThrownBy(() -> downloader().download(new ModelRevision("org/other", "main"), List.of(), null))
                .isInstanceOf(BadInputException.class)
                .hasMessage("org/other: no revision main (404)");
        hub.failing(REVISION, Fault.status(404, "X-Error-Code", "RepoNotFound"));
        assertRefused("org/model: no such model on " + hub.endpoint() + " (404)");
        assertThatThrownBy(() -> downloader().download(model("v9"), List.of(), null))
                .hasMessage("org/model: no revision v9 (404)");
        assertThatThrownBy(() -> downloader().download(model("main"), List.of("no.gguf"), null))
                .isInstanceOf(BadInputException.class)
                .hasMessage("org/model: no file no.gguf at revision main");
        hub.failing("config.json", Fault.status(404));
        assertRefused("org/model: no file config.json at revision main (404)");
        hub.failing("config.json", Fault.status(418));
        assertRefused("org/model: config.json: the hub answers 418, wanted 200");
    }

    @Test
    void redirects() {
        hub.failing(REVISION, Fault.status(307, "Location", "/api/models/org/model/revision/" + FakeHub.COMMIT));
        assertThat(hub.requests()).isEmpty();
        assertThatThrownBy(() -> downloader().download(model("main"), List.of("none"), null))
                .hasMessageContaining("no file none");

        Fault loop = Fault.status(302, "Location", REVISION);
        hub.failing(REVISION, loop, loop, loop, loop, loop, loop, loop, loop, loop, loop, loop);
        assertRefused(hub.endpoint() + ": more than 10 redirects");
        for (String nowhere : List.of("", "ftp://localhost/", "http://", "http:// /", "mailto:a")) {
            hub.failing(REVISION, Fault.status(302, "Location", nowhere));
            assertRefused("localhost: redirects to what is no http address");
        }
    }

    @Test
    void fromHttpsToHttpIsNotFollowed() {
        assertThatThrownBy(() -> HubConnection.target(URI.create("https://hub/x"), "http://storage/y?signature=1"))
                .isInstanceOf(BadInputException.class)
                .hasMessage("hub: redirects from https to http at storage, which is not safe and so not followed");
        assertThat(HubConnection.target(URI.create("http://hub/x"), "https://storage/y"))
                .hasToString("https://storage/y");
        assertThat(HubConnection.target(URI.create("https://hub/a/b"), "../c")).hasToString("https://hub/c");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../config.json",
                "a/../../b",
                "/etc/passwd",
                "",
                "a//b",
                "./a",
                "a/.",
                "a\\b",
                "a\u0000b",
                "a\u001b[2J",
                "a\nb"
            })
    void hostileNamesAreRefused(String name) throws IOException {
        list("{\"type\":\"file\",\"path\":" + new ObjectMapper().writeValueAsString(name) + ",\"size\":1,\"oid\":\""
                + SHA1 + "\"}");
        assertThatThrownBy(this::download)
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("which is no path inside a repository")
                .hasMessageNotContainingAny("\u0000", "\n", "\u001b");
        assertThat(cache).doesNotExist();
    }

    @Test
    void hostileSizesAndHashesAreRefused() {
        for (String size : List.of("-1", "1.5", "\"1\"", "null", "99999999999999999999", "{}")) {
            list("{\"type\":\"file\",\"path\":\"config.json\",\"size\":" + size + ",\"oid\":\"" + SHA1 + "\"}");
            assertThatThrownBy(this::download)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("config.json with ");
        }
        for (String etag : List.of("", "../../x", "0".repeat(39), "A".repeat(40), "0".repeat(41), "/".repeat(64))) {
            list("{\"type\":\"file\",\"path\":\"config.json\",\"size\":1,\"oid\":\"" + etag + "\"}");
            assertThatThrownBy(this::download)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("wanted 40 or 64 hexadecimal digits");
        }
        for (String commit : List.of("../..", "0".repeat(41), "")) {
            hub.failing(REVISION, Fault.body(("{\"sha\": \"" + commit + "\"}").getBytes(StandardCharsets.UTF_8)));
            assertThatThrownBy(this::download)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("names the commit '" + commit + "'");
        }
        assertThat(cache).doesNotExist();
    }

    @Test
    void whatDoesNotFitOnTheDiskIsNotBegun() throws IOException {
        String huge = "{\"type\":\"file\",\"path\":\"%s\",\"size\":%d,\"oid\":\"%s\"}";
        list(String.join(
                ",",
                huge.formatted("config.json", Long.MAX_VALUE, SHA1),
                huge.formatted("model.safetensors", Long.MAX_VALUE, "1".repeat(64))));
        assertThatThrownBy(this::download)
                .isInstanceOf(BadInputException.class)
                .hasMessageMatching("org/model: \\d+ TB are still to be fetched, and .* has room for \\d.*");
        assertThat(hub.downloads()).isEmpty();
        assertThat(tree(cache)).containsOnlyKeys(".locks/models--org--model/fedlora.lock");
    }

    @Test
    void oneHashWithTwoSizesIsRefused() {
        String file = "{\"type\":\"file\",\"path\":\"%s\",\"size\":%d,\"oid\":\"%s\"}";
        list(file.formatted("config.json", 1, SHA1) + "," + file.formatted("model.safetensors", 2, SHA1));
        assertRefused("org/model: the hub lists one hash with two sizes: config.json and model.safetensors");
    }

    @Test
    void listsGoOnOnThisHostOnly() throws IOException {
        hub.failing(TREE, Fault.page("[]", "<" + TREE + "?cursor=x>; rel=\"next\""));
        assertThat(download().resolve("config.json")).exists();
        hub.failing(TREE, Fault.page("[]", "<http://127.0.0.1:1/tree>; rel=\"next\""));
        assertRefused("org/model: the hub's list of files goes on at another host");
        hub.listing = null;
        for (int i = 0; i < 201; i++) {
            hub.failing(TREE, Fault.page("[]", "<" + TREE + ">; rel=\"next\""));
        }
        assertRefused("org/model: the hub's list of files has more than 200 pages");
    }

    @Test
    void malformedListsAreRefused() throws IOException {
        long seed = new Random().nextLong();
        System.out.println("RefusalTest seed " + seed);
        Random random = new Random(seed);
        HubApi api = new HubApi(
                new HubConnection(settings(false, null), Duration.ofSeconds(5)),
                Duration.ofMillis(1),
                model("main"),
                Progress.none());
        byte[] valid = ("[{\"type\":\"file\",\"path\":\"config.json\",\"size\":1,\"oid\":\"" + SHA1
                        + "\"},{\"type\":\"file\",\"oid\":\"" + SHA1 + "\",\"size\":9,\"lfs\":{\"oid\":\""
                        + "a".repeat(64)
                        + "\",\"size\":9,\"pointerSize\":1},\"path\":\"a/b.bin\"}]")
                .getBytes(StandardCharsets.UTF_8);
        hub.listing = valid;
        assertThat(api.files(FakeHub.COMMIT)).hasSize(2);
        for (int length = 0; length < valid.length; length++) {
            hub.listing = Arrays.copyOf(valid, length);
            assertThatThrownBy(() -> api.files(FakeHub.COMMIT))
                    .as("first %d bytes", length)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("org/model: ");
        }
        for (int i = 0; i < 2000; i++) {
            byte[] flipped = valid.clone();
            flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
            hub.listing = flipped;
            successOrBadInput(() -> api.files(FakeHub.COMMIT));
        }
        hub.listing = "[".repeat(100_000).getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> api.files(FakeHub.COMMIT)).isInstanceOf(BadInputException.class);
    }

    @Test
    void malformedIndexesAreRefused() throws IOException {
        long seed = new Random().nextLong();
        System.out.println("RefusalTest seed " + seed);
        Random random = new Random(seed);
        Path index = folder.resolve("model.safetensors.index.json");
        byte[] valid = "{\"metadata\":{},\"weight_map\":{\"a\":\"1\",\"b\":\"2\"}}".getBytes(StandardCharsets.UTF_8);
        Set<String> available = Set.of("1", "2");
        for (int length = 0; length < valid.length; length++) {
            Files.write(index, Arrays.copyOf(valid, length));
            assertThatThrownBy(() -> CheckpointFiles.shards(model("main"), index, available))
                    .as("first %d bytes", length)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("org/model: model.safetensors.index.json: ");
        }
        for (int i = 0; i < 2000; i++) {
            byte[] flipped = valid.clone();
            flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(index, flipped);
            successOrBadInput(() -> CheckpointFiles.shards(model("main"), index, available));
        }
        for (String none :
                List.of("[]", "1", "{\"weight_map\":[]}", "{\"weight_map\":{}}", "{\"weight_map\":[\"1\"]}")) {
            Files.writeString(index, none);
            assertThatThrownBy(() -> CheckpointFiles.shards(model("main"), index, available))
                    .hasMessageEndingWith("weight_map: names no shards");
        }
    }

    @Test
    void anUnreachableHubIsOneLine() throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        for (String endpoint : List.of("http://localhost:" + free, "http://no-such-host.invalid")) {
            HubSettings settings =
                    new HubSettings(URI.create(endpoint), "hf_secret", folder.resolve("token"), cache, false);
            assertThatThrownBy(() -> downloader(settings, 1).download(model("main"), List.of(), null))
                    .isInstanceOf(DownloadFailedException.class)
                    .hasMessageMatching(
                            "org/model: " + endpoint
                                    + " is not reachable: (connection refused|unknown host); the same command goes on from here");
        }
    }

    private interface Reading {
        void run() throws IOException;
    }

    private static void successOrBadInput(Reading reading) throws IOException {
        try {
            reading.run();
        } catch (BadInputException e) {
            assertThat(e.getMessage()).doesNotContain("\n", "\r", "\u001b");
        }
    }

    private void list(String entries) {
        hub.listing = ("[" + entries + "]").getBytes(StandardCharsets.UTF_8);
    }

    private void assertRefused(String message) {
        assertThatThrownBy(this::download).isInstanceOf(BadInputException.class).hasMessage(message);
    }
}
