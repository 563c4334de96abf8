package org.fedlora4j.benchmark.speed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.TinyModel;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.model.config.LlamaConfig;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs, on a tiny model: what they compute and how they say it, not how long it takes. */
class ProgramsTest {
    private static final String RECORD =
            "{\"instruction\": \"Name a river.\", \"context\": \"\", \"response\": \"The Rhine.\", \"category\": \"a\"}\n";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @FunctionalInterface
    private interface Program {
        void run(String[] arguments) throws IOException;
    }

    @BeforeAll
    static void writeModel() throws IOException {
        TinyModel.write(folder);
    }

    private static Measurement run(Program program, String... arguments) throws IOException {
        PrintStream out = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        String[] quick =
                Stream.concat(Stream.of(arguments), Stream.of("--warm-up=1")).toArray(String[]::new);
        try {
            program.run(quick);
        } finally {
            System.setOut(out);
        }
        return Measurement.fromJson(printed.toString(StandardCharsets.UTF_8)
                .lines()
                .reduce((first, second) -> second)
                .orElseThrow());
    }

    @Test
    void aStepStartsFromTheLossOfTheModelItself() throws IOException {
        String model = folder.toString();
        Measurement kept = run(StepBenchmark::main, model, "2", "8", "--steps=2");
        Measurement again = run(StepBenchmark::main, model, "2", "8", "--steps=2", "--recompute=layer", "--rank=4");
        assertThat(kept.millis()).hasSize(2);
        assertThat(kept.tokens()).isEqualTo(16);
        assertThat(kept.peakBytes()).isNotNegative();
        assertThat(kept.values()).containsOnlyKeys("firstLoss", StepBenchmark.COMPILE_MILLIS, StepBenchmark.PLAN_BYTES);
        assertThat(kept.values().get(StepBenchmark.COMPILE_MILLIS)).isPositive();
        assertThat(again.values()).containsEntry("firstLoss", kept.values().get("firstLoss"));
    }

    @Test
    void theLimitTakesAllRows() throws IOException {
        Measurement limit = run(MatmulLimit::main, folder.toString(), "2", "8", "f32", "--steps=2");
        assertThat(limit.millis()).hasSize(2).allMatch(millis -> millis > 0);
        assertThat(limit.tokens()).isEqualTo(16);
    }

    @Test
    void theLimitOfAForwardPass() throws IOException {
        Measurement limit = run(MatmulLimit::main, folder.toString(), "2", "8", "f32", "--steps=2", "--forward");
        assertThat(limit.millis()).hasSize(2);
        assertThat(limit.tokens()).isEqualTo(16);
    }

    /** The first step's loss is that of the model without an adapter. */
    @Test
    void aForwardPassHasTheLossThatAStepBeginsWith() throws IOException {
        Measurement forward = run(ForwardBenchmark::main, folder.toString(), "2", "8", "--steps=2");
        Measurement step = run(StepBenchmark::main, folder.toString(), "2", "8", "--steps=1");
        assertThat(forward.millis()).hasSize(2);
        assertThat(forward.tokens()).isEqualTo(16);
        assertThat(forward.values().get("firstLoss")).isCloseTo(step.values().get("firstLoss"), withinPercentage(0.01));
    }

    @Test
    void generationCountsNewTokensOfAllRows() throws IOException {
        Measurement generation = run(GenerateBenchmark::main, folder.toString(), "2", "8", "3", "--steps=2");
        assertThat(generation.tokens()).isEqualTo(6);
        assertThat(generation.values()).containsOnlyKeys("first[0]", "first[1]");
    }

    @Test
    void instructionsHaveFewerTargetsThanTokens() throws IOException {
        Path data = folder.resolve("data.jsonl");
        Files.writeString(data, RECORD.repeat(4));
        String[] arguments = {folder.toString(), data.toString(), "--batch=2", "--batches=2", "--passes=1", ""};
        arguments[5] = "--targets=responses";
        Measurement responses = run(InstructionBenchmark::main, arguments);
        arguments[5] = "--targets=all";
        Measurement all = run(InstructionBenchmark::main, arguments);
        assertThat(responses.tokens()).isEqualTo(all.tokens());
        assertThat(responses.values().get("paddedShare")).isEqualTo(all.values().get("paddedShare"));
        assertThat(responses.values().get("targetShare"))
                .isLessThan(all.values().get("targetShare"));
        assertThat(all.values().get("targetShare")).isBetween(0.9, 1.0);
    }

    @Test
    void aRoundHasEveryClientAndPhase() throws IOException {
        Measurement rounds = run(RoundBenchmark::main, folder.toString(), "2", "1", "8", "--rounds=2");
        assertThat(rounds.millis()).hasSize(2);
        assertThat(rounds.tokens()).isEqualTo(2 * 3 * 8);
    }

    @Test
    void aggregationHasTheBytesOfThePhase() throws IOException {
        Measurement adapt = run(AggregationBenchmark::main, folder.toString(), "3", "adapt", "--rank=2", "--steps=2");
        assertThat(adapt.millis()).hasSize(2);
        Measurement direction =
                run(AggregationBenchmark::main, folder.toString(), "3", "direction", "--rank=2", "--steps=2");
        // The shapes of A and B of rank 2, 4 bytes a value; the phase direction sends A's only.
        double a = 0;
        double b = 0;
        for (ModuleShape shape : ModuleShape.of(LlamaConfig.read(folder.resolve("config.json")), MeasuredModel.lora(2))
                .values()) {
            a += 4 * 2 * shape.in();
            b += 4 * 2 * shape.out();
        }
        assertThat(adapt.values()).containsEntry("updateBytes", a + b);
        assertThat(direction.values()).containsEntry("updateBytes", a);
    }
}
