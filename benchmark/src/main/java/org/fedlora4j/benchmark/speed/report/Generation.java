package org.fedlora4j.benchmark.speed.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.benchmark.speed.Arguments;
import org.fedlora4j.benchmark.speed.GenerateBenchmark;
import org.fedlora4j.benchmark.speed.Measurement;

/** Greedy generation beside transformers' generate: new tokens per second. */
final class Generation {
    private static final String PEER = "transformers";

    private Generation() {}

    static void run(String... texts) throws IOException {
        Arguments arguments = Arguments.parse(
                texts,
                List.of("PYTHON", "MODEL"),
                Session.options("turns", "batches", "prompt", "new", "steps", "cases"));
        Session session = new Session("generation", MarkedBlock.inReadme("generation"), arguments);
        int turns = arguments.number("turns", 3);
        List<Case> cases = Case.chosen(arguments.text("cases", "f32,bf16"), session);
        List<String> batches = List.of(arguments.text("batches", "1,8").split(","));
        int prompt = arguments.number("prompt", 128);
        int newTokens = arguments.number("new", 64);
        Path peer = Session.root().resolve("benchmark/peers/transformers_generate.py");
        Map<String, Map<String, Command>> commands = new LinkedHashMap<>();
        for (String batch : batches) {
            Map<String, Command> subjects = new LinkedHashMap<>();
            for (Case compared : cases) {
                String[] common = {
                    arguments.text("MODEL"),
                    batch,
                    Integer.toString(prompt),
                    Integer.toString(newTokens),
                    "--precision=" + compared.ours(),
                    "--steps=" + arguments.number("steps", 5),
                    "--warm-up=" + arguments.number("warm-up", 8)
                };
                subjects.put(compared.ourName(), Command.java(GenerateBenchmark.class, common));
                subjects.put(compared.peerName(PEER), Command.python(arguments.text("PYTHON"), peer, common));
            }
            commands.put(batch, subjects);
        }
        session.inTurn(turns, commands);
        if (cases.contains(Case.F32)) {
            batches.forEach(batch -> requireSameTokens(session.runs(), batch));
        }
        session.finish(
                "%s\nGreedy generation of %s, prompts of %d tokens, %d new ones a row; medians of %d turn(s), ratios with their range over turns."
                        .formatted(
                                table(session.runs(), batches, cases),
                                arguments.path("MODEL").getFileName(),
                                prompt,
                                newTokens,
                                turns));
    }

    /** In float32 both find the same likeliest tokens. */
    private static void requireSameTokens(Runs runs, String batch) {
        List<Map<String, Double>> first = runs.all().stream()
                .filter(run -> run.point().equals(batch)
                        && (run.subject().equals(Case.F32.ourName())
                                || run.subject().equals(Case.F32.peerName(PEER))))
                .<Map<String, Double>>map(run -> run.measurement().values().subMap("first[", "first]"))
                .distinct()
                .toList();
        if (first.size() > 1) {
            throw new IllegalStateException("batch " + batch + ": the first new tokens differ: " + first);
        }
    }

    /** A row for each batch and case. */
    static String table(Runs runs, List<String> batches, List<Case> cases) {
        Table table = new Table(2, "batch", "precision", "tokens/s", PEER, "ratio", "peak MB", PEER, "ratio");
        for (String batch : batches) {
            for (Case compared : cases) {
                String ours = compared.ourName();
                String peer = compared.peerName(PEER);
                table.row(List.of(
                        batch,
                        compared.title(PEER),
                        Table.number(runs.median(batch, ours, Measurement::tokensPerSecond)),
                        Table.number(runs.median(batch, peer, Measurement::tokensPerSecond)),
                        Table.ratio(runs.ratio(batch, ours, peer, Measurement::tokensPerSecond)),
                        Table.megabytes(runs.median(batch, ours, Measurement::peakBytes)),
                        Table.megabytes(runs.median(batch, peer, Measurement::peakBytes)),
                        Table.ratio(runs.ratio(batch, ours, peer, Measurement::peakBytes))));
            }
        }
        return table.markdown();
    }
}
