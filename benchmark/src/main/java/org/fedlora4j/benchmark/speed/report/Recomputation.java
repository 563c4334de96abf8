package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.speed.Arguments;
import org.fedlora4j.benchmark.speed.Measurement;
import org.fedlora4j.benchmark.speed.StepBenchmark;
import org.fedlora4j.federation.Fields;
import org.fedlora4j.model.Recompute;
import org.fedlora4j.model.exec.Precision;

/** What each way of computing activations twice saves in memory, and costs in time. */
final class Recomputation {
    private static final String NONE = Fields.hyphenated(Recompute.NONE);

    private Recomputation() {}

    static void run(String... texts) throws IOException {
        Arguments arguments =
                Arguments.parse(texts, List.of("MODEL"), Session.options("turns", "batches", "steps", "precision"));
        Session session = new Session("recomputation", MarkedBlock.inPerformance("recomputation"), arguments);
        int turns = arguments.number("turns", 3);
        List<String> batches = List.of(arguments.text("batches", "1x512,4x256").split(","));
        List<String> modes =
                Stream.of(Recompute.values()).map(Fields::hyphenated).toList();
        Precision precision =
                Precision.choose(arguments.text("precision", "auto")).precision();
        Map<String, Map<String, Command>> commands = new LinkedHashMap<>();
        for (String batch : batches) {
            String[] shape = batch.split("x", 2);
            Map<String, Command> subjects = new LinkedHashMap<>();
            for (String mode : modes) {
                subjects.put(
                        mode,
                        Command.java(
                                StepBenchmark.class,
                                arguments.text("MODEL"),
                                shape[0],
                                shape[1],
                                "--recompute=" + mode,
                                "--precision=" + precision,
                                "--steps=" + arguments.number("steps", 5),
                                "--warm-up=" + arguments.number("warm-up", 8)));
            }
            commands.put(batch, subjects);
        }
        session.inTurn(turns, commands);
        session.finish(table(session.runs(), batches, modes) + "\nTraining steps of "
                + arguments.path("MODEL").getFileName() + " in " + precision + "; medians of " + turns
                + " turn(s), ratios to none.");
    }

    /** A row for each batch and mode. */
    static String table(Runs runs, List<String> batches, List<String> modes) {
        Table table = new Table(2, "batch", "recomputes", "peak MB", "ratio", "step ms", "ratio");
        for (String batch : batches) {
            for (String mode : modes) {
                table.row(List.of(
                        batch,
                        mode,
                        Table.megabytes(runs.median(batch, mode, Measurement::peakBytes)),
                        Table.ratio(runs.ratio(batch, mode, NONE, Measurement::peakBytes)),
                        Table.number(runs.median(batch, mode, Measurement::medianMillis)),
                        Table.ratio(runs.ratio(batch, mode, NONE, Measurement::medianMillis))));
            }
        }
        return table.markdown();
    }
}
