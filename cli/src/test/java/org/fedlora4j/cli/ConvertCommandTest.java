package org.fedlora4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ConvertCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine commandLine =
            Main.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));

    @Test
    void convertsAndSummarises(@TempDir Path folder) {
        Path source = Path.of(System.getProperty("fedlora.golden"), "toy/gqa-tied-bf16");
        Path target = folder.resolve("converted model");

        assertThat(Main.run(commandLine, "convert", source.toString(), target.toString()))
                .as(err.toString())
                .isZero();
        assertThat(target.resolve("config.json")).hasSameTextualContentAs(source.resolve("config.json"));
        assertThat(target.resolve("model.safetensors")).isNotEmptyFile();
        assertThat(out.toString())
                .contains("converted model: ")
                .contains(" tensors, ")
                .contains(" parameters, ");

        assertThat(Main.run(commandLine, "convert", source.toString(), target.toString()))
                .isEqualTo(2);
        assertThat(err.toString().lines()).singleElement().asString().contains("converted model: exists");
    }
}
