package org.fedlora4j.benchmark.suite;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.fedlora4j.benchmark.demo.DemoInputs;
import org.fedlora4j.common.BadInputException;

/**
 * A comparison of methods: each runs on every model and data set with every seed.
 *
 * @param output the folder of jobs and report
 * @param methods in the order of the report
 * @param ours the method that is tested against its rivals
 * @param jobs in the order in which they run: a seed is complete for all methods before the next begins, so that a
 *     suite that was cut off compares something
 * @param embedded whether the model or data set of fedlora4j's demo is used
 */
public record Suite(
        String name,
        Path output,
        List<Method> methods,
        String ours,
        List<Integer> seeds,
        List<Job> jobs,
        boolean embedded) {

    public Suite {
        methods = List.copyOf(methods);
        seeds = List.copyOf(seeds);
        jobs = List.copyOf(jobs);
        requireDistinct("methods", methods.stream().map(Method::name).toList());
        requireDistinct("seeds", seeds);
        if (methods.stream().noneMatch(method -> method.name().equals(ours))) {
            throw new BadInputException("ours: " + ours + ", wanted one of "
                    + methods.stream().map(Method::name).toList());
        }
        Map<String, Job> files = new LinkedHashMap<>();
        for (Job job : jobs) {
            Job other = files.put(job.exportedFile(), job);
            if (other != null) {
                throw new BadInputException("jobs " + other.name() + " and " + job.name()
                        + " would both be exported as " + job.exportedFile() + ", wanted other names");
            }
        }
    }

    /** What methods are compared on, in the order of the suite's file. */
    public List<Setup> setups() {
        return jobs.stream().map(Job::setup).distinct().toList();
    }

    /** The names of those that ours is tested against. */
    public List<String> rivals() {
        return methods.stream()
                .filter(method -> method.rival() && !method.name().equals(ours))
                .map(Method::name)
                .toList();
    }

    /** Where jobs have their folders. */
    Path jobsFolder() {
        return jobsFolder(output);
    }

    static Path jobsFolder(Path output) {
        return output.resolve("jobs");
    }

    /** Where the demo's model and data lie, if they are used. */
    static DemoInputs embeddedInputs(Path output) {
        return new DemoInputs(output.resolve("embedded"));
    }

    private static void requireDistinct(String key, List<?> values) {
        if (values.isEmpty() || new HashSet<>(values).size() < values.size()) {
            throw new BadInputException(key + ": " + values + ", wanted at least one, and none twice");
        }
    }
}
