package org.fedlora4j.benchmark.suite.report;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.suite.Metric;
import org.fedlora4j.benchmark.suite.Setup;
import org.fedlora4j.benchmark.suite.Statistics;
import org.fedlora4j.benchmark.suite.SuiteResults;

/**
 * The methods' scores on one setup: means and standard deviations over seeds, the best of ours and of the rivals with the
 * same seeds strong.
 */
record ScoreTable(List<String> titles, List<List<Html.Cell>> rows) {
    private static final String BASE = "base model";

    /** @param metrics that all results have */
    static ScoreTable of(SuiteResults results, Setup setup, List<Metric> metrics) {
        List<String> titles = new ArrayList<>(List.of("method", "seeds"));
        metrics.forEach(metric -> titles.add(metric.title()));
        List<String> methods = results.methods(setup);
        List<String> compared = Stream.concat(Stream.of(results.suite().ours()), results.suite().rivals().stream())
                .filter(methods::contains)
                .filter(name -> seeds(results, setup, name)
                        .equals(seeds(results, setup, results.suite().ours())))
                .toList();
        List<List<Html.Cell>> rows = new ArrayList<>();
        rows.add(row(
                BASE,
                results,
                setup,
                methods.get(0),
                metrics.stream()
                        .map(metric -> new Metric(Metric.Model.BASE, metric.score()))
                        .toList(),
                compared));
        methods.forEach(method -> rows.add(row(method, results, setup, method, metrics, compared)));
        return new ScoreTable(titles, rows);
    }

    /** @param compared the methods of which the best is strong */
    private static List<Html.Cell> row(
            String title,
            SuiteResults results,
            Setup setup,
            String method,
            List<Metric> metrics,
            List<String> compared) {
        boolean ours = method.equals(results.suite().ours());
        List<Html.Cell> cells = new ArrayList<>();
        cells.add(new Html.Cell(title, ours && !title.equals(BASE)));
        cells.add(new Html.Cell(String.valueOf(results.of(setup, method).size()), false));
        for (Metric metric : metrics) {
            double[] values = results.values(setup, method, metric);
            boolean best = compared.contains(title)
                    && results.best(setup, compared, metric)
                            .filter(other ->
                                    Statistics.mean(results.values(setup, other, metric)) == Statistics.mean(values))
                            .isPresent();
            cells.add(new Html.Cell(meanAndDeviation(metric, values), best));
        }
        return cells;
    }

    private static Set<Integer> seeds(SuiteResults results, Setup setup, String method) {
        return results.of(setup, method).keySet();
    }

    /** Such as {@code 31.20 ± 0.85}; of one seed the value alone. */
    static String meanAndDeviation(Metric metric, double[] values) {
        String mean = metric.score().format(Statistics.mean(values));
        OptionalDouble deviation = Statistics.standardDeviation(values);
        return deviation.isPresent() ? mean + " ± " + metric.score().format(deviation.getAsDouble()) : mean;
    }
}
