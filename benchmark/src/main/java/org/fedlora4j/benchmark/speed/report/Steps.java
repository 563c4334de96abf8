package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.speed.Arguments;
import org.fedlora4j.benchmark.speed.MatmulLimit;
import org.fedlora4j.benchmark.speed.Measurement;
import org.fedlora4j.benchmark.speed.StepBenchmark;

/** Training steps beside PyTorch + PEFT: tokens per second, memory, and the distance to the limit. */
final class Steps {
    private static final String FIRST_LOSS = "firstLoss";
    /** Losses of the same model on the same tokens may differ by so much: bf16 rounds to 3 digits. */
    private static final double TOLERANCE = 0.01;

    private Steps() {}

    static void run(String... texts) throws IOException {
        Arguments arguments = Arguments.parse(
                texts, List.of("PYTHON", "MODEL"), Session.options("turns", "batches", "steps", "cases"));
        Session session = new Session("steps", MarkedBlock.inReadme("speed"), arguments);
        int turns = arguments.number("turns", 3);
        List<Case> cases = Case.chosen(arguments.text("cases", "f32,bf16,autocast"), session);
        List<String> batches =
                List.of(arguments.text("batches", "1x128,1x512,4x256").split(","));
        Map<String, Map<String, Command>> commands = new LinkedHashMap<>();
        for (String batch : batches) {
            commands.put(batch, commands(arguments, batch, cases));
        }
        session.inTurn(turns, commands);
        batches.forEach(batch -> requireSameLoss(session.runs(), batch));
        session.finish(table(session.runs(), batches, cases) + "\nTraining steps of "
                + arguments.path("MODEL").getFileName()
                + ", LoRA r=8 on q and v, AdamW included, all positions as targets; medians of "
                + turns + " turn(s), ratios with their range over turns.");
    }

    private static Map<String, Command> commands(Arguments arguments, String batch, List<Case> cases) {
        String[] shape = batch.split("x", 2);
        String model = arguments.text("MODEL");
        String[] counts = Stream.of("steps", "warm-up")
                .filter(arguments::has)
                .map(option -> "--" + option + "=" + arguments.text(option))
                .toArray(String[]::new);
        Path peer = Session.root().resolve("benchmark/peers/peft_step.py");
        Map<String, Command> commands = new LinkedHashMap<>();
        for (Case compared : cases) {
            String precision = "--precision=" + compared.ours();
            commands.putIfAbsent(
                    compared.ourName(),
                    Command.java(StepBenchmark.class, with(counts, model, shape[0], shape[1], precision)));
            commands.put(
                    compared.peerName("PEFT"),
                    Command.python(
                            arguments.text("PYTHON"),
                            peer,
                            with(counts, model, shape[0], shape[1], "--precision=" + compared.peers())));
            commands.putIfAbsent(
                    compared.limitName(),
                    Command.java(MatmulLimit.class, with(counts, model, shape[0], shape[1], compared.ours())));
        }
        return commands;
    }

    private static String[] with(String[] counts, String... arguments) {
        return Stream.concat(Stream.of(arguments), Stream.of(counts)).toArray(String[]::new);
    }

    /** Who computes another loss computes something else, and its speed says nothing. */
    static void requireSameLoss(Runs runs, String batch) {
        List<Double> losses = new ArrayList<>();
        for (Runs.Run run : runs.all()) {
            Double loss = run.measurement().values().get(FIRST_LOSS);
            if (loss != null && run.point().equals(batch)) {
                losses.add(loss);
            }
        }
        double median = Measurement.median(losses);
        if (losses.stream().anyMatch(loss -> !(Math.abs(loss - median) <= TOLERANCE * median))) {
            throw new IllegalStateException(batch + ": the first step's losses differ: " + losses);
        }
    }

    /** A row for each batch and case. */
    static String table(Runs runs, List<String> batches, List<Case> cases) {
        Table table = new Table(
                2,
                "batch",
                "precision",
                "tokens/s",
                "PEFT",
                "ratio",
                "peak MB",
                "PEFT",
                "ratio",
                "step ms",
                "PEFT",
                "matmuls alone ms",
                "step to matmuls");
        for (String batch : batches) {
            for (Case compared : cases) {
                String ours = compared.ourName();
                String peer = compared.peerName("PEFT");
                String limit = compared.limitName();
                table.row(List.of(
                        batch,
                        compared.title("PEFT"),
                        Table.number(runs.median(batch, ours, Measurement::tokensPerSecond)),
                        Table.number(runs.median(batch, peer, Measurement::tokensPerSecond)),
                        Table.ratio(runs.ratio(batch, ours, peer, Measurement::tokensPerSecond)),
                        Table.megabytes(runs.median(batch, ours, Measurement::peakBytes)),
                        Table.megabytes(runs.median(batch, peer, Measurement::peakBytes)),
                        Table.ratio(runs.ratio(batch, ours, peer, Measurement::peakBytes)),
                        Table.number(runs.median(batch, ours, Measurement::medianMillis)),
                        Table.number(runs.median(batch, peer, Measurement::medianMillis)),
                        Table.number(runs.median(batch, limit, Measurement::medianMillis)),
                        Table.ratio(runs.ratio(batch, ours, limit, Measurement::medianMillis))));
            }
        }
        return table.markdown();
    }
}
