package org.fedlora4j.benchmark.suite.report;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import org.fedlora4j.benchmark.suite.JobResult;
import org.fedlora4j.benchmark.suite.Metric;
import org.fedlora4j.benchmark.suite.SuiteResults;

/** All scores as CSV: a line for each job, model and score, with every digit. */
final class CsvTable {
    private static final List<Metric> METRICS = Arrays.stream(Metric.Model.values())
            .flatMap(model -> Arrays.stream(Metric.Score.values()).map(score -> new Metric(model, score)))
            .toList();

    private CsvTable() {}

    static String text(SuiteResults results) throws IOException {
        StringWriter text = new StringWriter();
        try (CsvWriter csv = CsvWriter.builder().lineDelimiter(LineDelimiter.LF).build(text)) {
            csv.writeRecord("model", "dataset", "method", "seed", "scored", "metric", "value");
            for (JobResult result : results.results()) {
                for (Metric metric : METRICS) {
                    if (metric.isIn(result.result())) {
                        write(csv, result, metric);
                    }
                }
            }
        }
        return text.toString();
    }

    private static void write(CsvWriter csv, JobResult result, Metric metric) {
        csv.writeRecord(
                result.job().setup().model(),
                result.job().setup().dataset(),
                result.job().method(),
                String.valueOf(result.job().seed()),
                metric.model().title(),
                metric.score().title(),
                String.valueOf(metric.of(result.result())));
    }
}
