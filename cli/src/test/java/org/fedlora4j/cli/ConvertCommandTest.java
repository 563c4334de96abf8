package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConvertCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path TOY = Path.of(System.getProperty("fedlora.golden"), "toy", "gqa-tied-bf16");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @Test
    void convertsAndSummarises() throws IOException {
        Path target = folder.resolve("converted model");
        Cli converted = Cli.run("convert", TOY, target);
        assertThat(converted.code()).as(converted.err()).isZero();
        assertThat(JSON.readTree(target.resolve("config.json").toFile()))
                .isEqualTo(JSON.readTree(TOY.resolve("config.json").toFile()));
        String sha256 = JSON.readTree(target.resolve("fedlora.json").toFile())
                .get("sha256")
                .asText();
        assertThat(converted.out())
                .contains("converted model: 29 tensors, 61,056 parameters, BF16, ")
                .contains("sha256 " + sha256);

        Cli again = Cli.run("convert", TOY, target);
        assertThat(again.code()).isEqualTo(2);
        assertThat(again.err().lines()).singleElement().asString().contains("converted model: exists");
    }

    @Test
    void theTypeAndTheThreadsAreTheUsersChoice() {
        Cli converted = Cli.run(
                "convert", TOY.resolve("model.safetensors"), folder.resolve("f16"), "--dtype", "f16", "--jobs", 3);
        assertThat(converted.code()).as(converted.err()).isZero();
        assertThat(converted.out()).contains(" F16, ");
        assertThat(Cli.run("convert", TOY, folder.resolve("x"), "--dtype", "f8").err())
                .contains("--dtype")
                .contains("f8");
        assertThat(Cli.run("convert", TOY, folder.resolve("x"), "--jobs", 0).err())
                .contains("jobs is 0");
        assertThat(folder.resolve("x")).doesNotExist();
    }
}
