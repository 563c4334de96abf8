package org.fedlora4j.benchmark.suite.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import org.fedlora4j.benchmark.suite.Comparison;
import org.fedlora4j.benchmark.suite.Metric;
import org.fedlora4j.benchmark.suite.Setup;
import org.fedlora4j.benchmark.suite.Statistics;
import org.fedlora4j.benchmark.suite.SuiteResults;

/** What the tests of ours against its rivals say. */
final class TestTable {
    private TestTable() {}

    static final List<String> TITLES = List.of(
            "metric", "rival", "ours", "rival's", "gain", "pairs", "Wilcoxon p", "Holm", "t-test p", "Holm", "ours is");

    /** A line for each metric: ours against the rival that is best in it. */
    static List<List<Html.Cell>> againstTheBest(SuiteResults results, Setup setup) {
        List<List<Html.Cell>> rows = new ArrayList<>();
        for (Metric metric : results.metrics(setup)) {
            bestRival(results, setup, metric).ifPresent(comparison -> rows.add(row(results, setup, comparison)));
        }
        return rows;
    }

    /** A line for each metric and rival. */
    static List<List<Html.Cell>> againstAll(SuiteResults results, Setup setup) {
        List<List<Html.Cell>> rows = new ArrayList<>();
        for (Metric metric : results.metrics(setup)) {
            Comparison.of(results, setup, metric).forEach(comparison -> rows.add(row(results, setup, comparison)));
        }
        return rows;
    }

    /**
     * The comparison with the best rival in a metric, the one that ours gains least on: over the seeds that both have, since
     * means over different seeds say more about these. None without a seed that ours and a rival have.
     */
    static Optional<Comparison> bestRival(SuiteResults results, Setup setup, Metric metric) {
        return Comparison.of(results, setup, metric).stream().min(Comparator.comparingDouble(Comparison::gain));
    }

    /** A gain with its sign. */
    static String gain(Comparison comparison) {
        String gain = comparison.metric().score().format(comparison.gain());
        return gain.startsWith("-") ? gain : "+" + gain;
    }

    static String pValue(double p) {
        return p < 0.0001 ? "< 0.0001" : String.format(Locale.ROOT, "%.4f", p);
    }

    private static List<Html.Cell> row(SuiteResults results, Setup setup, Comparison comparison) {
        Metric metric = comparison.metric();
        List<Html.Cell> cells = new ArrayList<>(Html.Cell.plain(List.of(
                metric.title(),
                comparison.rival(),
                mean(results, setup, results.suite().ours(), metric),
                mean(results, setup, comparison.rival(), metric),
                gain(comparison),
                String.valueOf(comparison.pairs()),
                pValue(comparison.wilcoxon()),
                pValue(comparison.wilcoxonHolm()),
                pValue(comparison.pairedT()),
                pValue(comparison.pairedTHolm()))));
        boolean shown = comparison.verdict() != Comparison.Verdict.NO_DIFFERENCE_SHOWN;
        cells.add(new Html.Cell(shown ? comparison.verdict().toString() : "–", shown));
        return cells;
    }

    private static String pValue(OptionalDouble p) {
        return p.isPresent() ? pValue(p.getAsDouble()) : "–";
    }

    private static String mean(SuiteResults results, Setup setup, String method, Metric metric) {
        return metric.score().format(Statistics.mean(results.values(setup, method, metric)));
    }
}
