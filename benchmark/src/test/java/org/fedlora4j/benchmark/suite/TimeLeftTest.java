package org.fedlora4j.benchmark.suite;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TimeLeftTest {
    @TempDir
    private Path folder;

    /** Two methods on a short and on a long data set, once; the mean of a data set where it is known, else of all. */
    @Test
    void isEstimatedFromJobsOfTheSameSetup() throws IOException {
        List<Job> jobs = SuiteFile.load(Files.writeString(folder.resolve("suite.yaml"), """
                name: times
                output: out
                models: {m: m}
                datasets: {short: {train: d, partition: {iid: 2}}, long: {train: d, partition: {iid: 2}}}
                methods: [local, fedavg-lora]
                seeds: [1, 2]
                """), List.of())
                .jobs();
        TimeLeft left = new TimeLeft(jobs);
        assertThat(left.describe()).isEqualTo("how long all take is known after the first");
        left.done(jobs.get(0), 10);
        // Seven more of the only length that is known.
        assertThat(left.describe()).isEqualTo("about 1 min 10 s left for all");
        left.done(jobs.get(1), 20);
        left.done(jobs.get(2), 3600);
        left.failed(jobs.get(3));
        // The second seed: two short ones of 15 s, two long ones of an hour.
        assertThat(left.describe()).isEqualTo("about 2 h 0 min left for all");
    }
}
