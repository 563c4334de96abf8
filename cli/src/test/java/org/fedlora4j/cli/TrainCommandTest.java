package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the command refuses; runs are tested where they are made. */
class TrainCommandTest {
    @TempDir
    private Path folder;

    @Test
    void refusesAMissingExperiment() {
        assertThat(refusal("no-such.yaml")).contains("no-such.yaml: no such file; wanted an experiment in YAML");
    }

    @Test
    void appliesOverrides() throws IOException {
        Path experiment = experiment();
        assertThat(refusal(experiment.toString(), "--set", "lora.rnk=4", "--set", "rounds=0"))
                .contains(experiment + ": ")
                .contains("lora.rnk: unknown");
    }

    @Test
    void refusesToResumeAndToDeleteAtOnce() throws IOException {
        assertThat(refusal(experiment().toString(), "--resume", "--force"))
                .contains("--resume")
                .contains("--force")
                .contains("mutually exclusive");
    }

    @Test
    void leavesARunAloneUnlessAskedTo() throws IOException {
        Path experiment = experiment();
        Path run = Files.createDirectory(folder.resolve("run"));
        Files.writeString(run.resolve("experiment.yaml"), Files.readString(experiment));
        assertThat(refusal(experiment.toString())).contains(run + ": holds a run");
        assertThat(refusal(experiment.toString(), "--resume", "--set", "rounds=9"))
                .contains("rounds 6, not 9");
        assertThat(refusal(experiment.toString(), "--resume", "--skip-bad-records"))
                .contains("data.skip-bad-records false, not true");
        // Both go on to the model, which isn't there; nothing is deleted before all has been read.
        assertThat(refusal(experiment.toString(), "--resume")).contains("no-such-model");
        assertThat(refusal(experiment.toString(), "--force")).contains("no-such-model");
        assertThat(run.resolve("experiment.yaml")).exists();
    }

    private Path experiment() throws IOException {
        return Files.writeString(folder.resolve("experiment.yaml"), """
                model: %1$s/no-such-model
                output: %1$s/run
                data: {train: %1$s/data.jsonl, partition: {by: category}}
                """.formatted(folder));
    }

    /** The line that the command prints with exit code 2. */
    private static String refusal(String... arguments) {
        StringWriter err = new StringWriter();
        String[] all = new String[arguments.length + 1];
        all[0] = "train";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        int code = Main.run(
                Main.commandLine()
                        .setOut(new PrintWriter(new StringWriter(), true))
                        .setErr(new PrintWriter(err, true)),
                all);
        assertThat(code).isEqualTo(2);
        assertThat(err.toString().lines()).hasSize(1);
        return err.toString();
    }
}
