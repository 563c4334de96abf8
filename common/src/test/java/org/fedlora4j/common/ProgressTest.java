package org.fedlora4j.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private Instant now = Instant.EPOCH;

    private Progress progress(boolean terminal) {
        return new Progress(new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal, () -> now);
    }

    private String printed() {
        return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }

    private void pass(long millis) {
        now = now.plusMillis(millis);
    }

    @Test
    void onATerminalOneLineChangesInPlace() {
        Progress progress = progress(true);
        progress.update(0, 400_000_000, "converting");
        pass(1000);
        progress.update(100_000_000, 400_000_000, "converting");
        pass(50);
        progress.update(150_000_000, 400_000_000, "converting");
        pass(950);
        progress.update(400_000_000, 400_000_000, "converting");
        progress.line("done");
        assertThat(printed())
                .isEqualTo("\rconverting:   0 %"
                        + "\rconverting:  25 %, 100 MB/s, 3 s left"
                        + "\rconverting: 100 %, 200 MB/s          \n"
                        + "\rdone\n");
    }

    @Test
    void elsewhereThereIsAPlainLineEveryFewSeconds() {
        Progress progress = progress(false);
        for (int second = 0; second < 12; second++) {
            progress.update(second, 1000, "converting");
            pass(1000);
        }
        progress.update(1000, 1000, "converting");
        assertThat(printed()).isEqualTo("""
                        converting:   0 %
                        converting:   0 %, 1 B/s, 16 min 35 s left
                        converting:   1 %, 1 B/s, 16 min 30 s left
                        converting: 100 %, 83 B/s
                        """);
    }

    @Test
    void rateCountsFromTheFirstReportOfTheWork() {
        Progress progress = progress(true);
        progress.update(600, 1000, "resuming");
        pass(1000);
        progress.update(800, 1000, "resuming");
        assertThat(printed()).endsWith("resuming:  80 %, 200 B/s, 1 s left");
        pass(1000);
        progress.update(10, 1000, "other");
        assertThat(printed()).endsWith("\rother:   1 %" + " ".repeat(22));
    }

    @Test
    void statusIsThrottledAndLinesAreNot() {
        Progress progress = progress(false);
        progress.status("round 1");
        progress.status("round 2");
        progress.line("saved");
        progress.line("saved again");
        pass(5000);
        progress.status("round 3");
        assertThat(printed()).isEqualTo("round 1\nsaved\nsaved again\nround 3\n");
    }

    @Test
    void emptyWorkIsComplete() {
        progress(false).update(0, 0, "converting");
        assertThat(printed()).isEqualTo("converting: 100 %\n");
    }

    @Test
    void numbersForPeople() {
        assertThat(Progress.bytes(0)).isEqualTo("0 B");
        assertThat(Progress.bytes(999)).isEqualTo("999 B");
        assertThat(Progress.bytes(1000)).isEqualTo("1.0 kB");
        assertThat(Progress.bytes(999_700)).isEqualTo("1.0 MB");
        assertThat(Progress.bytes(269_060_304)).isEqualTo("269 MB");
        assertThat(Progress.bytes(13_476_839_424.0)).isEqualTo("13 GB");
        assertThat(Progress.time(0.4)).isEqualTo("0 s");
        assertThat(Progress.time(59.6)).isEqualTo("1 min 0 s");
        assertThat(Progress.time(7500)).isEqualTo("2 h 5 min");
    }
}
