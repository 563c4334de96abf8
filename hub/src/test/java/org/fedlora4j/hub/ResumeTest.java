package org.fedlora4j.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.hub.FakeHub.Request;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections that are cut, hubs that fail for a while, and what an ended download leaves to the next. */
class ResumeTest extends HubTest {
    private static final String NAME = "model.safetensors";
    private static final Fault[] FOR_GOOD =
            Stream.generate(() -> Fault.status(500)).limit(40).toArray(Fault[]::new);

    @Test
    void cutConnectionsGoOnWhereTheyEnded() throws IOException {
        hub.failing(NAME, Fault.cutAfter(400), Fault.cutAfter(0), Fault.cutAfter(30), Fault.cutAfter(999));
        hub.failing("config.json", Fault.cutAfter(5));

        Path snapshot = download();

        assertThat(snapshot.resolve(NAME)).hasBinaryContent(WEIGHTS);
        assertThat(snapshot.resolve("config.json")).hasBinaryContent(hub.content("config.json"));
        assertThat(hub.sent(NAME)).isEqualTo(WEIGHTS.length);
        assertThat(hub.sent("config.json")).isEqualTo(hub.content("config.json").length);
        assertThat(hub.downloads().stream()
                        .filter(r -> r.path().equals("config.json"))
                        .map(Request::start))
                .containsExactly(0L, 5L);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatADownloadThatFailedForGoodLeavesIsUsed(boolean plain) throws IOException {
        Path target = plain ? folder.resolve("target") : null;
        hub.failing(NAME, Fault.cutAfter(1000), Fault.cutAfter(300)).failing(NAME, FOR_GOOD);
        assertThatThrownBy(() -> downloader(settings(false, null), 1).download(model("main"), List.of(), target))
                .isInstanceOf(DownloadFailedException.class)
                .hasMessage("org/model: model.safetensors: 6 failures, the last: 127.0.0.1 answers 500; "
                        + "the same command goes on from here");
        Path place = plain ? folder.resolve("target") : repository().resolve("snapshots/" + FakeHub.COMMIT);
        assertThat(place.resolve(NAME)).doesNotExist();
        assertThat(hub.sent(NAME)).isEqualTo(1300);

        hub.forget(NAME);
        Path result = downloader().download(model("main"), List.of(), target);

        assertThat(result.resolve(NAME)).hasBinaryContent(WEIGHTS);
        assertThat(hub.sent(NAME)).isEqualTo(WEIGHTS.length);
        assertThat(tree(folder).keySet()).noneMatch(name -> name.contains("incomplete"));
    }

    @Test
    void aKilledProcessLosesOnlyWhatItHadNotRecorded() throws IOException {
        Path blobs = Files.createDirectories(repository().resolve("blobs"));
        HubFile file = new HubFile(NAME, WEIGHTS.length, hub.etag(NAME));
        byte[] torn = Arrays.copyOf(WEIGHTS, 2600);
        Files.write(blobs.resolve(file.etag() + ".fedlora.incomplete"), torn);
        // The last line was being written, of the one before the bytes are not all there.
        Files.writeString(
                blobs.resolve(file.etag() + ".fedlora-ranges.incomplete"), "0 1000\n1500 2000\n2500 3000\n2000 25");

        assertThat(download().resolve(NAME)).hasBinaryContent(WEIGHTS);
        assertThat(hub.sent(NAME)).isEqualTo(WEIGHTS.length - 1000 - 500 - 100);
    }

    @Test
    void aPartialFileWithWrongBytesIsFetchedAnew() throws IOException {
        Path blobs = Files.createDirectories(repository().resolve("blobs"));
        Files.write(blobs.resolve(hub.etag(NAME) + ".fedlora.incomplete"), random(5000));
        Files.writeString(blobs.resolve(hub.etag(NAME) + ".fedlora-ranges.incomplete"), "0 5000\n");

        assertThat(download().resolve(NAME)).hasBinaryContent(WEIGHTS);
        assertThat(hub.sent(NAME)).isEqualTo(WEIGHTS.length);
    }

    @Test
    void anyRecordIsReadWithoutAnError() throws IOException {
        long seed = new Random().nextLong();
        System.out.println("ResumeTest seed " + seed);
        Random random = new Random(seed);
        HubFile file = new HubFile(NAME, 3000, hub.etag(NAME));
        Files.write(folder.resolve(file.etag() + ".fedlora.incomplete"), new byte[2000]);
        Path record = folder.resolve(file.etag() + ".fedlora-ranges.incomplete");
        byte[] valid = "0 1000\n1500 2000\n1000 1200\n".getBytes(StandardCharsets.US_ASCII);
        for (int length = 0; length <= valid.length; length++) {
            Files.write(record, Arrays.copyOf(valid, length));
            long wanted = length < 7 ? 0 : length < 17 ? 1000 : length < valid.length ? 1500 : 1700;
            assertThat(new PartialFile(folder, file).bytesDone())
                    .as("%d bytes", length)
                    .isEqualTo(wanted);
        }
        for (int i = 0; i < 2000; i++) {
            byte[] flipped = valid.clone();
            flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(record, flipped);
            assertThat(new PartialFile(folder, file).bytesDone()).isBetween(0L, 2000L);
        }
    }

    @Test
    void aServerWithoutRangesSendsTheWholeFile() throws IOException {
        hub.ranges = false;
        assertThat(download().resolve(NAME)).hasBinaryContent(WEIGHTS);
        assertThat(hub.sent(NAME)).isEqualTo(WEIGHTS.length);
    }

    @Test
    void aServerWithoutRangesStartsACutFileAgain() throws IOException {
        hub.ranges = false;
        hub.failing(NAME, Fault.cutAfter(1700));
        assertThat(download().resolve(NAME)).hasBinaryContent(WEIGHTS);
        assertThat(hub.sent(NAME)).isEqualTo(1700 + WEIGHTS.length);
        assertThat(hub.downloads().stream().filter(r -> r.path().equals(NAME)).map(Request::start))
                .containsExactly(0L, 0L);
    }

    @Test
    void aServerThatAlwaysCutsAtTheSamePlaceIsGivenUp() {
        hub.ranges = false;
        hub.failing(NAME, Stream.generate(() -> Fault.cutAfter(1700)).limit(40).toArray(Fault[]::new));
        assertThatThrownBy(this::download).isInstanceOf(DownloadFailedException.class);
        assertThat(hub.sent(NAME)).isEqualTo(6 * 1700);
    }

    @Test
    void anotherHostThatForgetsRangesMidwayIsAskedAgain() throws IOException {
        // The first part comes as a range, so the answer to a later one without is no reason to start over.
        hub.failing(NAME, Fault.cutAfter(1000));
        hub.failing(NAME, Fault.wholeFile());
        assertThat(downloader(settings(false, null), 1)
                        .download(model("main"), List.of(), null)
                        .resolve(NAME))
                .hasBinaryContent(WEIGHTS);
    }

    @Test
    void aSilentServerCountsAsCut() throws IOException {
        hub.failing(NAME, Fault.silentAfter(400));
        Tuning tuning = new Tuning(2, PART, Duration.ofMillis(1), Duration.ofMillis(200));
        Path snapshot = new HubDownloader(settings(false, null), tuning, Progress.none())
                .download(model("main"), List.of(), null);
        assertThat(snapshot.resolve(NAME)).hasBinaryContent(WEIGHTS);
        assertThat(hub.sent(NAME)).isEqualTo(WEIGHTS.length);
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 502, 503, 504})
    void passingFailuresAreTriedAgain(int status) throws IOException {
        hub.failing(NAME, Fault.status(status), Fault.status(status, "Retry-After", "0"));
        hub.failing("/api/models/org/model/revision/main", Fault.status(status, "Retry-After", "nonsense"));
        hub.failing("/api/models/org/model/tree/" + FakeHub.COMMIT, Fault.status(status));
        assertThat(download().resolve(NAME)).hasBinaryContent(WEIGHTS);
    }

    @Test
    void anExpiredAddressOfTheStorageHostIsAskedForAgain() throws IOException {
        hub.failing(NAME, Fault.status(403));
        assertThat(download().resolve(NAME)).hasBinaryContent(WEIGHTS);
    }

    @Test
    void retryAfterIsSecondsOrADate() {
        assertThat(Retry.asked("7")).isEqualTo(Duration.ofSeconds(7));
        assertThat(Retry.asked("999999999")).isEqualTo(Duration.ofMinutes(5));
        assertThat(Retry.asked("Fri, 31 Dec 1999 23:59:59 GMT").isNegative()).isTrue();
        assertThat(Retry.asked("Tue, 31 Dec 2999 23:59:59 GMT")).isEqualTo(Duration.ofMinutes(5));
        assertThat(Retry.asked("-1")).isZero();
        assertThat(Retry.asked(null)).isZero();
    }

    @Test
    void wrongBytesAreFetchedAgainOnceAndThenRefused() throws IOException {
        hub.failing("config.json", Fault.body("{\"model_type\": \"other\"}".getBytes(StandardCharsets.UTF_8)));
        assertThat(download().resolve("config.json")).hasBinaryContent(hub.content("config.json"));

        hub.with("tokenizer.json", "[1]");
        Fault fault = Fault.body("[2]".getBytes(StandardCharsets.UTF_8));
        hub.failing("tokenizer.json", fault, fault);
        assertThatThrownBy(this::download)
                .isInstanceOf(BadInputException.class)
                .hasMessage("org/model: tokenizer.json: its hash is "
                        + FakeHub.etag("[2]".getBytes(StandardCharsets.UTF_8), false) + ", wanted "
                        + hub.etag("tokenizer.json") + "; fetched twice, and deleted");
        assertThat(tree(repository()).keySet()).noneMatch(name -> name.contains("incomplete"));
        assertThat(blob("tokenizer.json")).doesNotExist();
    }

    @Test
    void wrongSizesAreRefused() {
        for (String path : List.of(NAME, "tokenizer.json")) {
            for (int difference : new int[] {-1, 1}) {
                byte[] wrong = random(hub.content(path).length + difference);
                hub.forget(path).failing(path, Fault.body(wrong), Fault.body(wrong));
                assertThatThrownBy(() -> downloader().download(model("main"), List.of(path), null))
                        .isInstanceOf(BadInputException.class)
                        .hasMessage("org/model: " + path + ": the server has " + wrong.length + " bytes, the hub lists "
                                + hub.content(path).length + "; fetched twice, and deleted");
            }
            hub.forget(path);
        }
    }

    @Test
    void aFullDiskIsNoReasonToAskTheHubAgain() throws IOException {
        // The partial file can't be written: a folder stands where it should be.
        Files.createDirectories(repository().resolve("blobs").resolve(hub.etag(NAME) + ".fedlora.incomplete"));
        // One connection: with more, others may have begun their parts before the first fails.
        assertThatThrownBy(() -> downloader(settings(false, null), 1).download(model("main"), List.of(), null))
                .isInstanceOf(FileSystemException.class)
                .hasMessageContaining(".fedlora.incomplete");
        assertThat(hub.downloads().stream().filter(r -> r.path().equals(NAME))).hasSize(1);
    }
}
