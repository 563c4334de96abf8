package org.fedlora4j.microbench;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs benchmarks, with JMH's options, and prints how much faster the kernels are. It compares medians of iterations: JMH's
 * own table has means, which what else runs on the machine moves.
 */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws CommandLineOptionException, RunnerException {
        Map<String, Map<By, Double>> times = new TreeMap<>();
        for (RunResult result : new Runner(options(new CommandLineOptions(args))).run()) {
            By by = By.valueOf(result.getParams().getParam("by"));
            times.computeIfAbsent(name(result.getParams()), name -> new EnumMap<>(By.class))
                    .put(by, result.getPrimaryResult().getStatistics().getPercentile(50));
        }
        System.out.printf(
                "%n%-40s %10s %12s %10s %10s %6s%n", "microseconds", "kernel", "bf16 weights", "bf16", "ND4J", "ratio");
        times.forEach((name, by) -> System.out.printf(
                "%-40s %10.0f %12.0f %10.0f %10.0f %6.1f%n",
                name,
                time(by, By.KERNEL),
                time(by, By.BF16_WEIGHTS),
                time(by, By.BF16),
                time(by, By.OPS),
                time(by, By.OPS) / time(by, By.KERNEL)));
    }

    private static double time(Map<By, Double> times, By by) {
        return times.getOrDefault(by, Double.NaN);
    }

    /** What was given, and for what was not, enough for a median on a machine that does other things too. */
    private static Options options(CommandLineOptions given) {
        return new OptionsBuilder()
                .parent(given)
                .mode(Mode.AverageTime)
                .timeUnit(TimeUnit.MICROSECONDS)
                .forks(given.getForkCount().orElse(1))
                .warmupIterations(given.getWarmupIterations().orElse(6))
                .warmupTime(given.getWarmupTime().orElse(TimeValue.milliseconds(500)))
                .measurementIterations(given.getMeasurementIterations().orElse(9))
                .measurementTime(given.getMeasurementTime().orElse(TimeValue.milliseconds(200)))
                .build();
    }

    /** Class, method and parameters. */
    private static String name(BenchmarkParams params) {
        String method =
                params.getBenchmark().substring(Main.class.getPackageName().length() + 1);
        return params.getParamsKeys().stream()
                .filter(key -> !key.equals("by"))
                .map(params::getParam)
                .collect(Collectors.joining(" ", method + " ", ""));
    }
}
