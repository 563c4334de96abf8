package org.fedlora4j.benchmark.suite.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import org.fedlora4j.benchmark.Metrics;
import org.fedlora4j.benchmark.Result;
import org.fedlora4j.benchmark.pictures.LineChart;
import org.fedlora4j.benchmark.suite.JobResult;
import org.fedlora4j.benchmark.suite.Metric;
import org.fedlora4j.benchmark.suite.Setup;
import org.fedlora4j.benchmark.suite.SuiteResults;
import org.jspecify.annotations.Nullable;

/** The pictures of one setup. */
final class Pictures {
    private static final String ROUNDS = "rounds, with warm-up rounds";

    private final SuiteResults results;
    private final Setup setup;
    private final List<String> methods;

    private Pictures(SuiteResults results, Setup setup) {
        this.results = results;
        this.setup = setup;
        this.methods = results.methods(setup);
    }

    /** Those that the results have something for, as SVG by name. */
    static Map<String, String> of(SuiteResults results, Setup setup) {
        Pictures pictures = new Pictures(results, setup);
        Map<String, String> all = new LinkedHashMap<>();
        all.put("global-loss", pictures.learningCurve(Metric.Model.GLOBAL, Result.Round::global));
        all.put("local-loss", pictures.learningCurve(Metric.Model.LOCAL, Result.Round::local));
        all.put("clients", pictures.clients());
        pictures.drift().ifPresent(drift -> all.put("drift", drift));
        all.put("partition", pictures.partition());
        return all;
    }

    private String learningCurve(Metric.Model model, Function<Result.Round, @Nullable Metrics> scored) {
        Function<Result, List<LineChart.Point>> curve = result -> {
            List<LineChart.Point> points = new ArrayList<>();
            points.add(new LineChart.Point(0, result.scores().base().loss()));
            for (int i = 0; i < result.rounds().size(); i++) {
                Metrics metrics = scored.apply(result.rounds().get(i));
                if (metrics != null) {
                    points.add(new LineChart.Point(i + 1, metrics.loss()));
                }
            }
            return points;
        };
        List<LineChart.Line> lines =
                methods.stream().map(method -> line(method, method, curve)).toList();
        String title = "Loss of the " + model.title() + " model" + (model == Metric.Model.LOCAL ? "s" : "")
                + " after each round: " + setup;
        return new LineChart(title, ROUNDS, "loss on test examples", false, lines).svg();
    }

    /** How far clients' directions agreed, of every part that a method averages on the sphere. */
    private Optional<String> drift() {
        List<LineChart.Line> lines = new ArrayList<>();
        for (String method : methods) {
            TreeSet<String> parts = results.of(setup, method).values().stream()
                    .flatMap(result -> result.drift().stream())
                    .flatMap(drift -> drift.resultants().keySet().stream())
                    .collect(Collectors.toCollection(TreeSet::new));
            parts.forEach(part -> lines.add(line(method, method + ": " + part, result -> drift(result, part))));
        }
        return lines.isEmpty()
                ? Optional.empty()
                : Optional.of(new LineChart(
                                "Mean resultant length of the clients' directions: " + setup,
                                ROUNDS,
                                "1: all clients the same",
                                false,
                                lines)
                        .svg());
    }

    private static List<LineChart.Point> drift(Result result, String part) {
        List<String> labels = result.rounds().stream().map(Result.Round::round).toList();
        SortedMap<Integer, LineChart.Point> byRound = new TreeMap<>();
        for (Result.Drift drift : result.drift()) {
            Double resultant = drift.resultants().get(part);
            int round = labels.indexOf(drift.round()) + 1;
            if (resultant != null && round > 0) {
                byRound.put(round, new LineChart.Point(round, resultant));
            }
        }
        return List.copyOf(byRound.values());
    }

    /** @param curve of one result; that of the mean has the rounds that all seeds have */
    private LineChart.Line line(String method, String name, Function<Result, List<LineChart.Point>> curve) {
        List<List<LineChart.Point>> seeds =
                results.of(setup, method).values().stream().map(curve).toList();
        SortedMap<Integer, List<Double>> byRound = new TreeMap<>();
        seeds.forEach(seed -> seed.forEach(point ->
                byRound.computeIfAbsent(point.x(), round -> new ArrayList<>()).add(point.value())));
        List<LineChart.Point> mean = new ArrayList<>();
        byRound.forEach((round, values) -> {
            if (values.size() == seeds.size()) {
                mean.add(new LineChart.Point(
                        round,
                        values.stream().mapToDouble(value -> value).average().orElseThrow()));
            }
        });
        boolean ours = method.equals(results.suite().ours());
        return new LineChart.Line(name, colour(method), ours, mean, seeds);
    }

    /** Ours has the first colour, whatever its place. */
    private int colour(String method) {
        if (method.equals(results.suite().ours())) {
            return 0;
        }
        return 1
                + (int) methods.subList(0, methods.indexOf(method)).stream()
                        .filter(before -> !before.equals(results.suite().ours()))
                        .count();
    }

    /** The local models' ROUGE-L or, where no text was generated, their loss. */
    private String clients() {
        Metric rouge = new Metric(Metric.Model.LOCAL, Metric.Score.ROUGE_L);
        Metric metric =
                results.metrics(setup).contains(rouge) ? rouge : new Metric(Metric.Model.LOCAL, Metric.Score.LOSS);
        List<String> clients = results.of(setup).get(0).result().scores().clients().stream()
                .map(Result.ClientScores::id)
                .toList();
        double[][] values = methods.stream()
                .map(method -> meanByClient(method, metric, clients.size()))
                .toArray(double[][]::new);
        String title = "Each client's " + metric.title() + ", darker is better: " + setup;
        return new HeatMap(title, metric.score(), methods, clients, values).svg();
    }

    private double[] meanByClient(String method, Metric metric, int clients) {
        double[] sum = new double[clients];
        var bySeed = results.of(setup, method).values();
        for (Result result : bySeed) {
            for (int i = 0; i < clients; i++) {
                sum[i] += metric.of(result.scores().clients().get(i));
            }
        }
        return DoubleStream.of(sum).map(value -> value / bySeed.size()).toArray();
    }

    /** As the first seed divided the records; that differs between seeds where it is random. */
    private String partition() {
        JobResult first = results.of(setup).get(0);
        String title = "Records by client and category, seed " + first.job().seed() + ": " + setup;
        return new PartitionPicture(title, first.result().partition()).svg();
    }
}
