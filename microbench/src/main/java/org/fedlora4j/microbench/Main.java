package org.fedlora4j.microbench;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/**
 * Runs benchmarks, with JMH's options, and prints how much faster the kernels are. It compares medians of iterations: JMH's
 * own table has means, which what else runs on the machine moves.
 */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws CommandLineOptionException, RunnerException {
        Map<String, Map<By, Double>> times = new TreeMap<>();
        for (RunResult result : new Runner(new CommandLineOptions(args)).run()) {
            By by = By.valueOf(result.getParams().getParam("by"));
            times.computeIfAbsent(name(result.getParams()), name -> new EnumMap<>(By.class))
                    .put(by, result.getPrimaryResult().getStatistics().getPercentile(50));
        }
        System.out.printf("%n%-45s %10s %10s %6s%n", "", "kernel us", "ND4J us", "ratio");
        times.forEach((name, by) -> {
            double kernel = by.getOrDefault(By.KERNEL, Double.NaN);
            double ops = by.getOrDefault(By.OPS, Double.NaN);
            System.out.printf("%-45s %10.0f %10.0f %6.1f%n", name, kernel, ops, ops / kernel);
        });
    }

    /** Class and method, and the op where there are several. */
    private static String name(BenchmarkParams params) {
        String method =
                params.getBenchmark().substring(Main.class.getPackageName().length() + 1);
        return params.getParamsKeys().contains("op") ? method + " " + params.getParam("op") : method;
    }
}
