package org.fedlora4j.benchmark.suite.report;

import java.util.List;
import org.fedlora4j.benchmark.speed.report.Table;
import org.fedlora4j.benchmark.suite.Comparison;
import org.fedlora4j.benchmark.suite.Metric;
import org.fedlora4j.benchmark.suite.Setup;
import org.fedlora4j.benchmark.suite.SuiteResults;

/** For a document: a table of scores for each setup, what may be said of ours, and where it was measured. */
final class MarkdownReport {
    private MarkdownReport() {}

    static String text(SuiteResults results) {
        StringBuilder text = new StringBuilder();
        for (Setup setup : results.setups()) {
            List<Metric> metrics = results.headlineMetrics(setup);
            ScoreTable scores = ScoreTable.of(results, setup, metrics);
            Table table = new Table(1, scores.titles().toArray(String[]::new));
            scores.rows()
                    .forEach(row ->
                            table.row(row.stream().map(MarkdownReport::cell).toList()));
            text.append("**")
                    .append(setup)
                    .append("**\n\n")
                    .append(table.markdown())
                    .append('\n');
            metrics.forEach(metric -> TestTable.bestRival(results, setup, metric)
                    .ifPresent(best -> text.append("- ")
                            .append(sentence(results, setup, best))
                            .append('\n')));
            text.append('\n');
        }
        text.append(
                "Mean ± standard deviation over seeds; ROUGE-L of 100; p of Wilcoxon's signed-rank test over clients and"
                        + " seeds, with Holm's correction. ");
        text.append("Suite `%s`, %s in all; %s.\n"
                .formatted(
                        results.suite().name(), Where.time(results), String.join("; ", Where.environments(results))));
        return text.toString();
    }

    private static String sentence(SuiteResults results, Setup setup, Comparison best) {
        String ours = results.suite().ours();
        boolean allSeeds = best.seeds() == results.of(setup, ours).size();
        return "%s: %s against the best rival, %s: %s%s, %s: %s"
                .formatted(
                        best.metric().title(),
                        ours,
                        best.rival(),
                        TestTable.gain(best),
                        allSeeds ? "" : " (seeds: " + best.seeds() + ")",
                        p(best.wilcoxonHolm()),
                        best.verdict());
    }

    private static String p(double value) {
        String p = TestTable.pValue(value);
        return p.startsWith("<") ? "p " + p : "p = " + p;
    }

    private static String cell(Html.Cell cell) {
        return cell.strong() ? "**" + cell.text() + "**" : cell.text();
    }
}
