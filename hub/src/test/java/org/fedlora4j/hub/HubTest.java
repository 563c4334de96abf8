package org.fedlora4j.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.fedlora4j.common.Progress;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A hub with a small model, an empty cache, and short ways to download. */
abstract class HubTest {
    static final int PART = 1000;

    /** Three parts and a bit. */
    static final byte[] WEIGHTS = random(3210);

    FakeHub hub;
    Path cache;

    @TempDir
    Path folder;

    @BeforeEach
    final void start() throws IOException {
        cache = folder.resolve("cache");
        hub = new FakeHub()
                .with("config.json", "{\"model_type\": \"llama\"}")
                .with("tokenizer.json", "{}")
                .with("README.md", "not needed")
                .with("onnx/model.onnx", "not needed")
                .withLarge("pytorch_model.bin", random(77))
                .withLarge("model.safetensors", WEIGHTS);
    }

    @AfterEach
    final void stop() {
        hub.close();
    }

    static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    HubSettings settings(boolean offline, @Nullable String token) {
        return new HubSettings(URI.create(hub.endpoint()), token, folder.resolve("token"), cache, offline);
    }

    HubDownloader downloader() {
        return downloader(settings(false, null), 4);
    }

    static HubDownloader downloader(HubSettings settings, int connections) {
        Tuning tuning = new Tuning(connections, PART, Duration.ofMillis(1), Duration.ofSeconds(5));
        return new HubDownloader(settings, tuning, Progress.none());
    }

    /** The checkpoint, into the cache. */
    Path download() throws IOException {
        return downloader().download(model("main"), List.of(), null);
    }

    static ModelRevision model(String revision) {
        return new ModelRevision(FakeHub.REPOSITORY, revision);
    }

    Path repository() {
        return cache.resolve("models--org--model");
    }

    Path blob(String path) {
        return repository().resolve("blobs").resolve(hub.etag(path));
    }

    /** Every file below a folder: what it links to, or its size. */
    static Map<String, String> tree(Path root) throws IOException {
        Map<String, String> tree = new TreeMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(path -> !Files.isDirectory(path)).toList()) {
                String name = root.relativize(file).toString();
                tree.put(
                        name,
                        Files.isSymbolicLink(file)
                                ? "-> " + Files.readSymbolicLink(file)
                                : Long.toString(Files.size(file)));
            }
        }
        return tree;
    }
}
