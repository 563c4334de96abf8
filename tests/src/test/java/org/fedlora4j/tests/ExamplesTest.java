package org.fedlora4j.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.demo.DemoModel;
import org.fedlora4j.examples.ConvertCheckpoint;
import org.fedlora4j.examples.Evaluate;
import org.fedlora4j.examples.FineTune;
import org.fedlora4j.examples.TrainFederated;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The main classes for users of the library, on the demo's model. */
class ExamplesTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @FunctionalInterface
    private interface Program {
        void start(String[] arguments) throws IOException;
    }

    /** Runs an example on files of the folder and returns what it prints. */
    private String run(Program example, Object... arguments) throws IOException {
        PrintStream out = System.out;
        printed.reset();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            example.start(Stream.of(arguments)
                    .map(argument -> argument instanceof Integer number
                            ? number.toString()
                            : folder.resolve(argument.toString()).toString())
                    .toArray(String[]::new));
        } finally {
            System.setOut(out);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }

    @BeforeEach
    void unpackDemo() throws IOException {
        DemoModel.unpack(folder.resolve("model"));
        Files.write(
                folder.resolve("data.jsonl"),
                List.of(
                        "{\"instruction\": \"Say a\", \"output\": \"a a a\", \"category\": \"one\"}",
                        "{\"instruction\": \"Say b\", \"output\": \"b b b\", \"category\": \"two\"}"));
    }

    @Test
    void convertThenFineTuneThenEvaluate() throws IOException {
        assertThat(run(ConvertCheckpoint::main, "model", "converted")).contains("tensors");
        String losses = run(FineTune::main, "converted", "data.jsonl", "adapter", 30);
        assertThat(losses.lines()).hasSize(30);
        assertThat(loss(losses, 29)).isLessThan(loss(losses, 0));
        assertThat(run(Evaluate::main, "converted", "adapter", "data.jsonl", 2))
                .matches("2 records: loss [0-9.]+, token accuracy [0-9.]+, ROUGE-L [0-9.]+\\R");
    }

    @Test
    void aFederationTrainsAndGoesOnWhereItStopped() throws IOException {
        Path recipe = Files.writeString(folder.resolve("recipe.yaml"), """
                name: short
                warm-up: {rounds: 1, phases: [{name: all, train: [A, B], share: [A, B], steps: 2, learning-rate: 0.01}]}
                round: [{name: magnitude, train: [B.magnitude], share: [], steps: 2, learning-rate: 0.05}]
                """);
        assertThat(run(TrainFederated::main, "model", "data.jsonl", "run", recipe, 1)
                        .lines())
                .hasSize(2)
                .allMatch(line -> line.contains("loss"));
        assertThat(folder.resolve("run/global/adapter_model.safetensors")).isNotEmptyFile();
        assertThat(folder.resolve("run/client-one/adapter_model.safetensors")).isNotEmptyFile();
    }

    private static double loss(String lines, int line) {
        return Double.parseDouble(lines.lines().toList().get(line).replaceAll(".*loss ", ""));
    }
}
