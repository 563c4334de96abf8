package org.fedlora4j.benchmark.suite.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;
import org.fedlora4j.benchmark.Result;
import org.fedlora4j.benchmark.suite.Metric;
import org.fedlora4j.benchmark.suite.Setup;
import org.fedlora4j.benchmark.suite.Statistics;
import org.fedlora4j.benchmark.suite.SuiteResults;

/** How evenly methods serve clients, and how well those that took no part in training. */
final class ClientTables {
    private ClientTables() {}

    /** The worst client's score and the sample standard deviation over clients: means over seeds. */
    static String fairness(SuiteResults results, Setup setup) {
        List<Metric> metrics = results.headlineMetrics(setup);
        List<String> titles = new ArrayList<>(List.of("method"));
        metrics.forEach(metric -> titles.addAll(List.of(metric.title() + ", worst client", "std over clients")));
        List<List<Html.Cell>> rows = new ArrayList<>();
        for (String method : results.methods(setup)) {
            List<String> row = new ArrayList<>(List.of(method));
            for (Metric metric : metrics) {
                List<double[]> bySeed = results.of(setup, method).values().stream()
                        .map(result -> result.scores().clients().stream()
                                .mapToDouble(metric::of)
                                .toArray())
                        .toList();
                row.add(metric.score().format(mean(bySeed.stream().mapToDouble(scores -> worst(metric, scores)))));
                row.add(
                        bySeed.get(0).length < 2
                                ? "–"
                                : metric.score()
                                        .format(mean(bySeed.stream()
                                                .map(Statistics::standardDeviation)
                                                .mapToDouble(OptionalDouble::orElseThrow))));
            }
            rows.add(Html.Cell.plain(row));
        }
        return Html.table(titles, rows);
    }

    /** The scores on clients that only personalised; empty where a suite has none. */
    static String unseen(SuiteResults results, Setup setup) {
        List<Metric> metrics = results.metrics(setup);
        List<String> titles = new ArrayList<>(List.of("method"));
        metrics.forEach(metric -> titles.add(metric.title()));
        List<List<Html.Cell>> rows = new ArrayList<>();
        for (String method : results.methods(setup)) {
            Collection<Result> bySeed = results.of(setup, method).values();
            List<Result.Scores> unseen = bySeed.stream()
                    .map(result -> result.scores().unseen())
                    .filter(Objects::nonNull)
                    .toList();
            if (unseen.size() == bySeed.size()) {
                List<String> row = new ArrayList<>(List.of(method));
                metrics.forEach(metric -> row.add(ScoreTable.meanAndDeviation(
                        metric, unseen.stream().mapToDouble(metric::of).toArray())));
                rows.add(Html.Cell.plain(row));
            }
        }
        return rows.isEmpty()
                ? ""
                : Html.element("h3", "Scores on clients that took no part in training") + Html.table(titles, rows);
    }

    private static double worst(Metric metric, double[] scores) {
        DoubleStream all = DoubleStream.of(scores);
        return (metric.score().higherIsBetter() ? all.min() : all.max()).orElseThrow();
    }

    private static double mean(DoubleStream values) {
        return values.average().orElseThrow();
    }
}
