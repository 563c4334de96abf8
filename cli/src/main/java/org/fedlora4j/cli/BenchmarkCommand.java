package org.fedlora4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.fedlora4j.benchmark.suite.Suite;
import org.fedlora4j.benchmark.suite.SuiteFile;
import org.fedlora4j.benchmark.suite.SuiteResults;
import org.fedlora4j.benchmark.suite.SuiteRunner;
import org.fedlora4j.benchmark.suite.report.SuiteReport;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares methods over models, data sets and seeds, and reports. */
@Command(
        name = "benchmark",
        description = {
            "Compare methods on models and data sets over several seeds, and write a report.",
            "Goes on where it was interrupted. A job that fails doesn't stop the others; the exit code is then 1.",
            "docs/benchmark.md explains the suite file, the statistics and the report."
        },
        footer = {"", "Example:", "  ./fedlora benchmark benchmark/suites/smoke.yaml"})
final class BenchmarkCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SUITE.yaml", description = "The suite.")
    private Path file;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Use this value in place of the file's, such as experiment.rounds=1; may be repeated.")
    private List<String> overrides = new ArrayList<>();

    @Option(
            names = "--only",
            paramLabel = "REGEX",
            description = "Run the jobs in whose names, MODEL/DATASET/METHOD/seed-N, this is found.")
    private String only = "";

    @Option(names = "--force", description = "Delete jobs that were run with other settings, and run them again.")
    private boolean force;

    @ArgGroup
    private @Nullable Source source;

    @Option(
            names = "--export",
            paramLabel = "DIR",
            description = "Copy the result of each job to DIR/MODEL-DATASET-METHOD-seedN.json.")
    private @Nullable Path export;

    @Option(
            names = "--update",
            paramLabel = "FILE.md",
            description =
                    "Put the tables between the lines <!-- NAME:begin --> and <!-- NAME:end --> of this file, where"
                            + " NAME is the suite's.")
    private @Nullable Path document;

    /** What the report is made from, where nothing is run. */
    private static final class Source {
        @Option(names = "--report-only", description = "Run nothing; report on the jobs that are complete.")
        private boolean reportOnly;

        @Option(names = "--results", paramLabel = "DIR", description = "Run nothing; report on results from --export.")
        private @Nullable Path results;
    }

    @Override
    public Integer call() throws IOException {
        Suite suite = SuiteFile.load(file, overrides);
        if (document != null) {
            SuiteReport.blockOf(suite, document).requireThere();
        }
        boolean run = source == null || (!source.reportOnly && source.results == null);
        List<String> failed = run ? new SuiteRunner(suite, Progress.onStderr()).run(pattern(), force) : List.of();
        SuiteResults results = source != null && source.results != null
                ? SuiteResults.ofExports(suite, source.results)
                : SuiteResults.ofRuns(suite);
        if (!results.results().isEmpty()) {
            report(suite, results);
        } else if (failed.isEmpty()) {
            throw new BadInputException(suite.output() + ": no job is complete, wanted at least one to report on");
        }
        failed.forEach(job -> spec.commandLine().getErr().println("failed: " + job));
        return failed.isEmpty() ? 0 : Main.OUR_FAILURE;
    }

    private void report(Suite suite, SuiteResults results) throws IOException {
        if (export != null) {
            results.export(export);
        }
        SuiteReport report = new SuiteReport(results);
        Path page = report.write(suite.output());
        if (document != null) {
            SuiteReport.blockOf(suite, document).fill(report.markdown());
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(report.markdown());
        out.printf("%nThe report is in %s%n", page);
        out.flush();
    }

    private Pattern pattern() {
        try {
            return Pattern.compile(only);
        } catch (PatternSyntaxException e) {
            throw new BadInputException(
                    "--only " + only + ": " + e.getDescription() + ", wanted a regular expression", e);
        }
    }
}
