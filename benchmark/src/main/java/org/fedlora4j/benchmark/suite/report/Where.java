package org.fedlora4j.benchmark.suite.report;

import java.util.List;
import org.fedlora4j.benchmark.Environment;
import org.fedlora4j.benchmark.suite.SuiteResults;
import org.fedlora4j.common.Progress;

/** Where results were made and how long that took, in words. */
final class Where {
    private Where() {}

    /** A line for each commit, machine and precision; more than one says that not all is like with like. */
    static List<String> environments(SuiteResults results) {
        return results.results().stream()
                .map(result -> result.result().environment())
                .distinct()
                .map(Where::describe)
                .toList();
    }

    /** Of all jobs together. */
    static String time(SuiteResults results) {
        return Progress.time(results.results().stream()
                .mapToDouble(result -> result.result().seconds())
                .sum());
    }

    private static String describe(Environment environment) {
        Environment.Machine machine = environment.machine();
        return "%s, %d cores, %s, %s, precision %s; fedlora4j %.12s; %s"
                .formatted(
                        machine.cpu(),
                        machine.cores(),
                        Progress.bytes((double) machine.memoryBytes()),
                        machine.system(),
                        environment.precision(),
                        environment.commit(),
                        String.join(
                                ", ",
                                environment.versions().entrySet().stream()
                                        .map(version -> version.getKey() + " " + version.getValue())
                                        .toList()));
    }
}
