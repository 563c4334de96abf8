package org.fedlora4j.benchmark.speed.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.fedlora4j.benchmark.TinyModel;
import org.fedlora4j.benchmark.speed.Measurement;
import org.fedlora4j.benchmark.speed.StepBenchmark;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandTest {
    private static final Duration LIMIT = Duration.ofMinutes(2);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private Command script(String text) throws IOException {
        return Command.python("bash", Files.writeString(folder.resolve("peer"), text), "1", "2");
    }

    @Test
    void runsAProgramInAJvmOfItsOwn() throws IOException {
        TinyModel.write(folder);
        Command command = Command.java(StepBenchmark.class, folder.toString(), "1", "8", "--steps=3", "--warm-up=1");
        assertThat(command)
                .hasToString("org.fedlora4j.benchmark.speed.StepBenchmark " + folder + " 1 8 --steps=3 --warm-up=1");
        Measurement measurement = command.run(1, LIMIT);
        assertThat(measurement.millis()).hasSize(3);
        // A JVM that computes has some ten megabytes at least, and no more than were resident.
        assertThat(measurement.values().get(Command.PEAK_ANONYMOUS_BYTES))
                .isBetween(1e7, (double) measurement.peakBytes());
    }

    @Test
    void takesTheLastLineOfJsonThatAPeerPrints() throws IOException {
        Command peer = script("""
                echo '{"not": "it"}'
                echo "{\\"millis\\": [$1], \\"tokens\\": $2, \\"peakBytes\\": 3, \\"values\\": {\\"threads\\": $OMP_NUM_THREADS}, \\"versions\\": {}}"
                echo done
                """);
        var measurement = peer.run(2, LIMIT);
        assertThat(measurement.millis()).isEqualTo(List.of(1.0));
        assertThat(measurement.values()).containsEntry("threads", 2.0);
    }

    @Test
    void aPeerMayDecline() throws IOException {
        Command peer = script("echo '{\"declined\": \"needs 30 GB; 20 GB are available\"}'");
        assertThatThrownBy(() -> peer.run(2, LIMIT))
                .isInstanceOf(Command.Declined.class)
                .hasMessage("needs 30 GB; 20 GB are available");
    }

    @Test
    void showsWhyAPeerFailed() throws IOException {
        Command peer = script("echo no such module >&2; exit 3");
        assertThatThrownBy(() -> peer.run(2, LIMIT))
                .hasMessage("failed: " + folder.resolve("peer") + " 1 2\nno such module");
    }

    @Test
    void endsWhatTakesTooLong() throws IOException {
        Command peer = script("exec sleep 100");
        assertThatThrownBy(() -> peer.run(2, Duration.ofSeconds(1))).hasMessageStartingWith("took longer than 1 s: ");
    }

    @Test
    void refusesAPeerThatPrintsNothing() throws IOException {
        Command peer = script("echo hello");
        assertThatThrownBy(() -> peer.run(2, LIMIT)).hasMessageStartingWith("printed no measurement: ");
    }
}
