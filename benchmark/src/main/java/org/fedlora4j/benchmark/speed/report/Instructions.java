package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.benchmark.speed.Arguments;
import org.fedlora4j.benchmark.speed.InstructionBenchmark;
import org.fedlora4j.benchmark.speed.InstructionBenchmark.Targets;
import org.fedlora4j.benchmark.speed.Measurement;
import org.fedlora4j.federation.Fields;
import org.fedlora4j.model.exec.Precision;

/** What it gains on real instructions that the head computes only positions with a target. */
final class Instructions {
    private static final String RESPONSES = Fields.hyphenated(Targets.RESPONSES);
    private static final String ALL = Fields.hyphenated(Targets.ALL);

    private Instructions() {}

    static void run(String... texts) throws IOException {
        Arguments arguments = Arguments.parse(
                texts, List.of("MODEL", "DATA"), Session.options("turns", "batch", "batches", "passes", "precision"));
        Session session = new Session("instructions", MarkedBlock.inPerformance("instructions"), arguments);
        int turns = arguments.number("turns", 3);
        Precision precision =
                Precision.choose(arguments.text("precision", "auto")).precision();
        int batch = arguments.number("batch", 4);
        int batches = arguments.number("batches", 16);
        Map<String, Command> subjects = new LinkedHashMap<>();
        for (String targets : List.of(RESPONSES, ALL)) {
            subjects.put(
                    targets,
                    Command.java(
                            InstructionBenchmark.class,
                            arguments.text("MODEL"),
                            arguments.text("DATA"),
                            "--targets=" + targets,
                            "--precision=" + precision,
                            "--batch=" + batch,
                            "--batches=" + batches,
                            "--passes=" + arguments.number("passes", 3),
                            "--warm-up=" + arguments.number("warm-up", 8)));
        }
        String point = "batch " + batch;
        session.inTurn(turns, Map.of(point, subjects));
        session.finish(
                "%s\nMean training step of %s in %s over %d batches of %d records of %s; medians of %d turn(s), gains with their range over turns."
                        .formatted(
                                table(session.runs(), point),
                                arguments.path("MODEL").getFileName(),
                                precision,
                                batches,
                                batch,
                                arguments.path("DATA").getFileName(),
                                turns));
    }

    /** A row for responses only, one for all positions. */
    static String table(Runs runs, String point) {
        Table table =
                new Table(1, "targets", "step ms", "gain", "peak MB", "tokens/s", "targets' share", "padded share");
        for (String targets : List.of(RESPONSES, ALL)) {
            table.row(List.of(
                    targets,
                    Table.number(runs.median(point, targets, Measurement::medianMillis)),
                    Table.ratio(runs.ratio(point, targets, ALL, Measurement::tokensPerSecond)),
                    Table.megabytes(runs.median(point, targets, Measurement::peakBytes)),
                    Table.number(runs.median(point, targets, Measurement::tokensPerSecond)),
                    Table.percent(runs.median(point, targets, measured -> value(measured, "targetShare"))),
                    Table.percent(runs.median(point, targets, measured -> value(measured, "paddedShare")))));
        }
        return table.markdown();
    }

    private static double value(Measurement measurement, String name) {
        return measurement.values().getOrDefault(name, Double.NaN);
    }
}
