package org.fedlora4j.benchmark.suite;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.common.Progress;

/** How long jobs will take yet, from those that are done: as long as others of their setup did, or of all setups. */
final class TimeLeft {
    private final List<Job> left;
    private final Map<Setup, List<Double>> seconds = new HashMap<>();

    TimeLeft(List<Job> jobs) {
        this.left = new ArrayList<>(jobs);
    }

    /** @param took that the whole job took, in this process or before */
    void done(Job job, double took) {
        left.remove(job);
        seconds.computeIfAbsent(job.setup(), setup -> new ArrayList<>()).add(took);
    }

    void failed(Job job) {
        left.remove(job);
    }

    /** For people to read. */
    String describe() {
        List<Double> all = seconds.values().stream().flatMap(List::stream).toList();
        if (all.isEmpty()) {
            return "how long all take is known after the first";
        }
        double sum = left.stream()
                .mapToDouble(job -> mean(seconds.getOrDefault(job.setup(), all)))
                .sum();
        return "about " + Progress.time(sum) + " left for all";
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(value -> value).average().orElseThrow();
    }
}
