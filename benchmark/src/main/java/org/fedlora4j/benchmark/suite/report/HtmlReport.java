package org.fedlora4j.benchmark.suite.report;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.fedlora4j.benchmark.Result;
import org.fedlora4j.benchmark.SettingsFile;
import org.fedlora4j.benchmark.pictures.Xml;
import org.fedlora4j.benchmark.suite.JobResult;
import org.fedlora4j.benchmark.suite.Metric;
import org.fedlora4j.benchmark.suite.Setup;
import org.fedlora4j.benchmark.suite.Statistics;
import org.fedlora4j.benchmark.suite.SuiteResults;
import org.fedlora4j.common.Progress;

/** The page of a suite: one file without anything from elsewhere. */
final class HtmlReport {
    private static final String STYLE = """
            :root { color-scheme: light; }
            body { font: 16px/1.5 Helvetica, Arial, sans-serif; color: #222; background: #fff; max-width: 68rem;
              margin: 0 auto; padding: 1rem; }
            h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 2px solid #ddd; }
            .wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9rem; margin: 0.5rem 0; }
            th, td { padding: 0.25rem 0.6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #ddd; }
            th:first-child, td:first-child { text-align: left; } th { background: #f4f4f4; }
            svg { max-width: 100%; height: auto; } figure { margin: 1rem 0; }
            pre { background: #f6f6f6; padding: 0.8rem; overflow-x: auto; font-size: 0.8rem; }
            summary { cursor: pointer; color: #0050a0; } .note { color: #444; font-size: 0.9rem; }
            @media print { body { max-width: none; font-size: 11px; } h2 { break-before: page; }
              figure, tr { break-inside: avoid; } .wide { overflow: visible; } }
            """;

    private static final String METHODOLOGY = """
            Scores are means over clients, weighted by their test examples, then mean ± sample standard deviation over seeds;
            ROUGE-L, token accuracy and exact match are of 100. Strong is the best of ours and of its rivals with
            the same seeds. A gain is what ours scores more or, for the loss, less, over the seeds that both have; the best
            rival is the one with the smallest. Wilcoxon's signed-rank test, two-sided, is over pairs of the same
            client and seed; the t-test is over the seeds' means. Holm's correction is for the number of rivals within a
            metric, not for the number of metrics. Ours is called better or worse only where the corrected p of Wilcoxon's
            test is below 0.05 and all of at least two seeds agree. The clients of one seed share a model, so their pairs
            aren't independent and that p is too small; the t-test has as many values as there are seeds, so with few it
            shows only large differences.
            """;

    private final SuiteResults results;
    private final StringBuilder html = new StringBuilder();

    private HtmlReport(SuiteResults results) {
        this.results = results;
    }

    static String text(SuiteResults results) throws IOException {
        HtmlReport report = new HtmlReport(results);
        report.write();
        return report.html.toString();
    }

    private void write() throws IOException {
        String title = "Suite " + results.suite().name();
        html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                .append(Html.element("title", title))
                .append("<style>\n")
                .append(STYLE)
                .append("</style>\n</head>\n<body>\n")
                .append(Html.element("h1", title));
        overview();
        for (Setup setup : results.setups()) {
            section(setup);
        }
        html.append("</body>\n</html>\n");
    }

    private void overview() {
        int jobs = results.suite().jobs().size();
        html.append(Html.element(
                "p",
                "%d of %d jobs are complete; they took %s. Ours: %s."
                        .formatted(
                                results.results().size(),
                                jobs,
                                Where.time(results),
                                results.suite().ours())));
        List<String> environments = Where.environments(results);
        html.append(list(environments));
        if (environments.size() > 1) {
            html.append(Html.element(
                    "p", "Not all results are of the same code, machine and precision: see the lines above."));
        }
        if (!results.missing().isEmpty()) {
            html.append(Html.element("h3", "Jobs that are not in this report"))
                    .append(list(results.missing().entrySet().stream()
                            .map(job -> job.getKey() + ": " + job.getValue())
                            .toList()));
        }
        html.append("<p class=\"note\">").append(Xml.escape(METHODOLOGY)).append("</p>\n");
    }

    private void section(Setup setup) throws IOException {
        html.append(Html.element("h2", setup.toString()));
        scores(setup, Metric.Model.GLOBAL, "Scores of the global model");
        scores(setup, Metric.Model.LOCAL, "Scores of the clients' local models");
        html.append(Html.element("h3", "Between clients")).append(ClientTables.fairness(results, setup));
        html.append(ClientTables.unseen(results, setup));
        html.append(Html.element("h3", "Ours against the best rival of each metric"));
        List<List<Html.Cell>> best = TestTable.againstTheBest(results, setup);
        if (best.isEmpty()) {
            html.append(Html.element("p", "There is nothing to test: no seed is complete for ours and a rival."));
        } else {
            html.append(Html.table(TestTable.TITLES, best))
                    .append(Html.element("p", "–: no difference shown."))
                    .append(Html.details(
                            "Against every rival", Html.table(TestTable.TITLES, TestTable.againstAll(results, setup))));
        }
        for (String svg : Pictures.of(results, setup).values()) {
            html.append("<figure>\n").append(svg).append("</figure>\n");
        }
        html.append(Html.element("h3", "Cost")).append(cost(setup));
        html.append(settings(setup));
    }

    private void scores(Setup setup, Metric.Model model, String title) {
        List<Metric> metrics = results.metrics(setup).stream()
                .filter(metric -> metric.model() == model)
                .toList();
        ScoreTable scores = ScoreTable.of(results, setup, metrics);
        html.append(Html.element("h3", title)).append(Html.table(scores.titles(), scores.rows()));
    }

    private String cost(Setup setup) {
        List<List<Html.Cell>> rows = new ArrayList<>();
        for (String method : results.methods(setup)) {
            List<Result> bySeed = List.copyOf(results.of(setup, method).values());
            Result first = bySeed.get(0);
            rows.add(Html.Cell.plain(List.of(
                    method,
                    Progress.bytes(bytesOfRound(first, true)),
                    Progress.bytes(bytesOfRound(first, false)),
                    Progress.time(
                            mean(bySeed.stream().mapToDouble(Result::seconds).toArray())),
                    String.format(
                            Locale.ROOT,
                            "%,.0f",
                            mean(bySeed.stream().mapToDouble(Result::tokens).toArray())))));
        }
        return Html.table(
                List.of("method", "sent by a client in a round", "received", "time of a job", "tokens trained on"),
                rows);
    }

    private static double mean(double[] values) {
        return Statistics.mean(values);
    }

    /** Of the recipe's phases after the warm-up. */
    private static double bytesOfRound(Result result, boolean up) {
        Set<String> phases = StreamSupport.stream(
                        result.config().at("/recipe/round").spliterator(), false)
                .map(phase -> phase.path("name").asText())
                .collect(Collectors.toSet());
        return result.bytesPerRound().entrySet().stream()
                .filter(phase -> phases.contains(phase.getKey()))
                .mapToDouble(
                        phase -> up ? phase.getValue().up() : phase.getValue().down())
                .sum();
    }

    /** Each method's experiment, as its first seed ran it. */
    private String settings(Setup setup) throws IOException {
        StringBuilder settings = new StringBuilder();
        for (String method : results.methods(setup)) {
            JobResult first = results.of(setup).stream()
                    .filter(result -> result.job().method().equals(method))
                    .findFirst()
                    .orElseThrow();
            String yaml = SettingsFile.toYaml(first.result().config());
            settings.append(Html.details("Settings of " + method, Html.element("pre", yaml)));
        }
        return settings.toString();
    }

    private static String list(List<String> items) {
        return items.stream()
                .map(item -> Html.element("li", item))
                .collect(Collectors.joining("", "<ul>\n", "</ul>\n"));
    }
}
