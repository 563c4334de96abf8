package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.benchmark.speed.Arguments;
import org.fedlora4j.benchmark.speed.ForwardBenchmark;
import org.fedlora4j.benchmark.speed.MatmulLimit;
import org.fedlora4j.benchmark.speed.Measurement;
import org.fedlora4j.benchmark.speed.StepBenchmark;

/**
 * Forward passes and training steps of a model of billions of parameters beside PyTorch + PEFT: seconds, the distance to the
 * limit, and memory, of which mapped weights are no part. Where the peer's memory does not suffice, it stays out.
 */
final class Large {
    private static final String FORWARD = "forward";
    private static final String STEP = "training step";
    private static final String PEER = "PEFT";

    private Large() {}

    static void run(String... texts) throws IOException {
        Arguments arguments = Arguments.parse(
                texts, List.of("PYTHON", "MODEL"), Session.options("turns", "tokens", "steps", "cases", "recompute"));
        String name = "large-" + arguments.path("MODEL").getFileName();
        Session session = new Session(name, MarkedBlock.inPerformance(name), arguments);
        int turns = arguments.number("turns", 1);
        int tokens = arguments.number("tokens", 512);
        List<Case> cases = Case.chosen(arguments.text("cases", "f32,bf16"), session);
        Map<String, Map<String, Command>> commands = new LinkedHashMap<>();
        for (String pass : List.of(FORWARD, STEP)) {
            commands.put(pass, commands(arguments, tokens, cases, pass.equals(FORWARD)));
        }
        session.inTurn(turns, commands);
        commands.keySet().forEach(pass -> Steps.requireSameLoss(session.runs(), pass));
        session.finish(table(session.runs(), cases)
                + "\n%s, one row of %d tokens, all positions as targets; steps with LoRA r=8 on q and v, AdamW included; medians of %d turn(s), ratios with their range over turns. Memory in MB."
                        .formatted(arguments.path("MODEL").getFileName(), tokens, turns));
    }

    private static Map<String, Command> commands(Arguments arguments, int tokens, List<Case> cases, boolean forward) {
        List<String> shape = List.of(arguments.text("MODEL"), "1", Integer.toString(tokens));
        List<String> counts =
                List.of("--steps=" + arguments.number("steps", 3), "--warm-up=" + arguments.number("warm-up", 1));
        List<String> recompute =
                arguments.has("recompute") ? List.of("--recompute=" + arguments.text("recompute")) : List.of();
        List<String> pass = forward ? List.of("--forward") : List.of();
        Path peer = Session.root().resolve("benchmark/peers/peft_step.py");
        Map<String, Command> commands = new LinkedHashMap<>();
        for (Case compared : cases) {
            List<String> ours = List.of("--precision=" + compared.ours());
            List<String> peers = List.of("--precision=" + compared.peers());
            commands.putIfAbsent(
                    compared.ourName(),
                    forward
                            ? Command.java(ForwardBenchmark.class, words(List.of(shape, ours, counts)))
                            : Command.java(StepBenchmark.class, words(List.of(shape, ours, counts, recompute))));
            commands.put(
                    compared.peerName(PEER),
                    Command.python(arguments.text("PYTHON"), peer, words(List.of(shape, peers, counts, pass))));
            commands.putIfAbsent(
                    compared.limitName(),
                    Command.java(MatmulLimit.class, words(List.of(shape, List.of(compared.ours()), counts, pass))));
        }
        return commands;
    }

    private static String[] words(List<List<String>> parts) {
        return parts.stream().flatMap(List::stream).toArray(String[]::new);
    }

    /** A row for each pass and case. */
    static String table(Runs runs, List<Case> cases) {
        Table table = new Table(
                2,
                "pass",
                "precision",
                "s",
                PEER,
                "tokens/s",
                PEER,
                "ratio",
                "matmuls alone s",
                "to matmuls",
                "peak anonymous",
                PEER,
                "peak resident",
                PEER);
        for (String pass : List.of(FORWARD, STEP)) {
            for (Case compared : cases) {
                String ours = compared.ourName();
                String peer = compared.peerName(PEER);
                String limit = compared.limitName();
                List<String> cells = new ArrayList<>(List.of(pass, compared.title(PEER)));
                cells.addAll(List.of(
                        seconds(runs, pass, ours),
                        seconds(runs, pass, peer),
                        Table.number(runs.median(pass, ours, Measurement::tokensPerSecond)),
                        Table.number(runs.median(pass, peer, Measurement::tokensPerSecond)),
                        Table.ratio(runs.ratio(pass, ours, peer, Measurement::tokensPerSecond)),
                        seconds(runs, pass, limit),
                        Table.ratio(runs.ratio(pass, ours, limit, Measurement::medianMillis)),
                        anonymous(runs, pass, ours),
                        anonymous(runs, pass, peer),
                        Table.megabytes(runs.median(pass, ours, Measurement::peakBytes)),
                        Table.megabytes(runs.median(pass, peer, Measurement::peakBytes))));
                table.row(cells);
            }
        }
        return table.markdown();
    }

    private static String seconds(Runs runs, String pass, String subject) {
        return Table.number(runs.median(pass, subject, Measurement::medianMillis) / 1000);
    }

    private static String anonymous(Runs runs, String pass, String subject) {
        return Table.megabytes(runs.median(
                pass, subject, measured -> measured.values().getOrDefault(Command.PEAK_ANONYMOUS_BYTES, Double.NaN)));
    }
}
