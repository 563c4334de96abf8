package org.fedlora4j.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.hub.FakeHub.Request;
import org.junit.jupiter.api.Test;

/** What is downloaded, and where it goes. */
class HubDownloaderTest extends HubTest {
    @Test
    void writesTheCacheAsItsOwnClientDoes() throws IOException {
        Path snapshot = download();

        assertThat(snapshot).isEqualTo(repository().resolve("snapshots").resolve(FakeHub.COMMIT));
        String config = hub.etag("config.json");
        String tokenizer = hub.etag("tokenizer.json");
        String weights = hub.etag("model.safetensors");
        String inSnapshot = "models--org--model/snapshots/" + FakeHub.COMMIT + "/";
        assertThat(tree(cache))
                .isEqualTo(Map.of(
                        ".locks/models--org--model/fedlora.lock",
                        "0",
                        "CACHEDIR.TAG",
                        Long.toString(Files.size(cache.resolve("CACHEDIR.TAG"))),
                        "models--org--model/blobs/" + config,
                        "23",
                        "models--org--model/blobs/" + tokenizer,
                        "2",
                        "models--org--model/blobs/" + weights,
                        "3210",
                        "models--org--model/refs/main",
                        "40",
                        inSnapshot + "config.json",
                        "-> ../../blobs/" + config,
                        inSnapshot + "tokenizer.json",
                        "-> ../../blobs/" + tokenizer,
                        inSnapshot + "model.safetensors",
                        "-> ../../blobs/" + weights));
        assertThat(snapshot.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
        assertThat(repository().resolve("refs/main")).hasContent(FakeHub.COMMIT);
    }

    @Test
    void fetchesRangesInParallelAndEachByteOnce() throws IOException {
        download();

        assertThat(hub.downloads().stream().filter(request -> request.path().equals("model.safetensors")))
                .extracting(Request::status, Request::start, Request::sent)
                .containsExactlyInAnyOrder(
                        tuple(206, 0L, 1000L),
                        tuple(206, 1000L, 1000L),
                        tuple(206, 2000L, 1000L),
                        tuple(206, 3000L, 210L));
    }

    @Test
    void whatIsInTheCacheIsNotFetchedAgain() throws IOException {
        Path first = download();
        int downloads = hub.downloads().size();

        assertThat(download()).isEqualTo(first);
        assertThat(hub.downloads()).hasSize(downloads);

        // Only the blob is left, as where another revision has the same file.
        Files.delete(first.resolve("model.safetensors"));
        download();
        assertThat(hub.downloads()).hasSize(downloads);
        assertThat(first.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);

        // A blob that was cut is none.
        Files.write(blob("model.safetensors"), new byte[10]);
        download();
        assertThat(first.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    void plainFolderHoldsTheFilesAndNothingElse() throws IOException {
        Path target = folder.resolve("plain folder/model");
        Path result = downloader().download(model("main"), List.of(), target);

        assertThat(result).isEqualTo(target);
        Map<String, String> files = Map.of("config.json", "23", "tokenizer.json", "2", "model.safetensors", "3210");
        assertThat(tree(target)).isEqualTo(files);
        assertThat(cache).doesNotExist();

        // An edited file is fetched again, and only that.
        int downloads = hub.downloads().size();
        Files.writeString(target.resolve("config.json"), "{\"model_type\": \"other\"}");
        downloader().download(model("main"), List.of(), target);
        assertThat(hub.downloads()).hasSize(downloads + 1);
        assertThat(target.resolve("config.json")).hasBinaryContent(hub.content("config.json"));
        assertThat(tree(target)).isEqualTo(files);
    }

    @Test
    void plainFolderIsFilledFromTheCache() throws IOException {
        download();
        int downloads = hub.downloads().size();
        Path target = folder.resolve("target");
        downloader().download(model("main"), List.of(), target);
        assertThat(hub.downloads()).hasSize(downloads);
        assertThat(target.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);

        // A damaged blob of the right size is not believed.
        Files.write(blob("model.safetensors"), Arrays.copyOf(random(3211), 3210));
        Path other = folder.resolve("other");
        downloader().download(model("main"), List.of(), other);
        assertThat(other.resolve("model.safetensors")).hasBinaryContent(WEIGHTS);
    }

    @Test
    void filesOfTheSameContentAreFetchedOnce() throws IOException {
        hub.withLarge("a/1.gguf", random(500)).withLarge("b/2.gguf", random(500));
        List<String> names = List.of("a/1.gguf", "b/2.gguf");
        Path target = folder.resolve("target");
        for (Path result : new Path[] {
            downloader().download(model("main"), names, null), downloader().download(model("main"), names, target)
        }) {
            assertThat(result.resolve("a/1.gguf")).hasBinaryContent(random(500));
            assertThat(result.resolve("b/2.gguf")).hasBinaryContent(random(500));
        }
        assertThat(hub.sent("a/1.gguf") + hub.sent("b/2.gguf")).isEqualTo(500);
        assertThat(tree(target)).hasSize(2);
    }

    @Test
    void emptyFilesAndOddNames() throws IOException {
        hub.with("x/empty ä%2f+?#.txt", "");
        Path result = downloader().download(model("main"), List.of("x/empty ä%2f+?#.txt"), null);
        assertThat(result.resolve("x/empty ä%2f+?#.txt")).isEmptyFile();
    }

    @Test
    void aCommitNeedsNoRef() throws IOException {
        downloader().download(model(FakeHub.COMMIT), List.of(), null);
        assertThat(repository().resolve("refs")).doesNotExist();
        assertThat(repository().resolve("snapshots").resolve(FakeHub.COMMIT).resolve("config.json"))
                .exists();
    }

    @Test
    void shardsAreThoseThatTheIndexNames() throws IOException {
        hub.close();
        hub = new FakeHub()
                .with("config.json", "{}")
                .with("model.safetensors.index.json", """
                        {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors",
                         "c": "model-1.safetensors"}}""")
                .withLarge("model-1.safetensors", random(10))
                .withLarge("model-2.safetensors", random(20))
                .withLarge("model-3.safetensors", random(30));
        assertThat(tree(download()).keySet())
                .containsExactly(
                        "config.json", "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json");

        hub.with("model.safetensors.index.json", "{\"weight_map\": {\"a\": \"../../model-9.safetensors\"}}");
        assertThatThrownBy(this::download)
                .isInstanceOf(BadInputException.class)
                .hasMessage("org/model: model.safetensors.index.json: names the shard '../../model-9.safetensors', "
                        + "which the repository lacks");
    }

    @Test
    void offlineTakesWhatTheCacheHas() throws IOException {
        HubDownloader offline = downloader(settings(true, null), 4);
        assertThatThrownBy(() -> offline.download(model("main"), List.of(), null))
                .isInstanceOf(BadInputException.class)
                .hasMessage("org/model: HF_HUB_OFFLINE is set, and the cache " + cache + " lacks revision main");
        Path snapshot = download();
        hub.close();

        assertThat(offline.download(model("main"), List.of(), null)).isEqualTo(snapshot);
        assertThat(offline.download(model(FakeHub.COMMIT), List.of("config.json"), null))
                .isEqualTo(snapshot);
        Path target = folder.resolve("target");
        assertThat(offline.download(model("main"), List.of(), target)).isEqualTo(target);
        assertThat(tree(target)).hasSize(3).containsEntry("model.safetensors", "3210");

        assertThatThrownBy(() -> offline.download(model("main"), List.of("tokenizer.model"), null))
                .hasMessage("org/model: HF_HUB_OFFLINE is set, and the cache lacks tokenizer.model");
        Files.delete(blob("model.safetensors"));
        assertThatThrownBy(() -> offline.download(model("main"), List.of(), null))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("org/model: has no weights");
    }

    @Test
    void twoAtATimeDoNotDisturbEachOther() throws Exception {
        byte[] weights = random(200_000);
        hub.withLarge("model.safetensors", weights);
        ExecutorService two = Executors.newFixedThreadPool(2);
        try {
            for (Path target : new Path[] {cache.resolve("none"), folder.resolve("target")}) {
                List<Future<Path>> results = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    results.add(two.submit(() ->
                            downloader().download(model("main"), List.of(), target.startsWith(cache) ? null : target)));
                }
                for (Future<Path> result : results) {
                    assertThat(result.get().resolve("model.safetensors")).hasBinaryContent(weights);
                }
            }
        } finally {
            two.shutdownNow();
        }
        assertThat(hub.sent("model.safetensors")).isEqualTo(weights.length);
    }

    @Test
    void aFolderThatIsAFileIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThatThrownBy(() -> downloader().download(model("main"), List.of(), file))
                .isInstanceOf(BadInputException.class)
                .hasMessage(file + ": is a file, wanted a folder");
    }
}
