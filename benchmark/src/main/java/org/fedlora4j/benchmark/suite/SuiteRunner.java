package org.fedlora4j.benchmark.suite;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.fedlora4j.benchmark.ExistingRun;
import org.fedlora4j.benchmark.ExperimentRunner;
import org.fedlora4j.benchmark.Result;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.model.exec.Backend;
import org.fedlora4j.model.exec.NativeThreads;

/**
 * Runs the jobs of a suite that aren't complete yet. One that was interrupted goes on where it was. One that fails, such
 * as by divergence, doesn't keep the others from running: its reason is kept beside its folder, and it is tried again the
 * next time. What would fail every job, such as a full disk, ends the suite.
 */
public final class SuiteRunner {
    private final Suite suite;
    private final Progress progress;

    public SuiteRunner(Suite suite, Progress progress) {
        this.suite = suite;
        this.progress = progress;
    }

    /**
     * Runs jobs.
     *
     * @param only of the names of jobs, in any part of them
     * @param replaceChanged whether jobs that were run with other settings are deleted and run again; otherwise they are
     *     an error
     * @return the names of the jobs that failed
     * @throws BadInputException if no job has such a name, or one was run with other settings; nothing is run then
     */
    public List<String> run(Pattern only, boolean replaceChanged) throws IOException {
        List<Job> jobs = suite.jobs().stream()
                .filter(job -> only.matcher(job.name()).find())
                .toList();
        if (jobs.isEmpty()) {
            throw new BadInputException("--only " + only + ": matches no job, wanted one of those such as "
                    + suite.jobs().get(0).name());
        }
        if (!replaceChanged) {
            requireUnchanged(jobs);
        }
        // Not job by job: nothing can be run without it.
        Backend.active();
        if (!suite.embedded()) {
            return run(jobs);
        }
        Suite.embeddedInputs(suite.output()).write();
        int threads = NativeThreads.get();
        NativeThreads.set(1);
        try {
            return run(jobs);
        } finally {
            NativeThreads.set(threads);
        }
    }

    private List<String> run(List<Job> jobs) throws IOException {
        TimeLeft left = new TimeLeft(jobs);
        List<String> failed = new ArrayList<>();
        List<Result> complete = new ArrayList<>();
        for (Job job : jobs) {
            ExperimentRunner runner = new ExperimentRunner(job.experiment(), progress);
            boolean unchanged = runner.differencesFromExistingRun().isEmpty();
            Optional<Result> result = unchanged ? runner.existingResult() : Optional.empty();
            if (result.isEmpty()) {
                progress.line("job %d of %d: %s; %s"
                        .formatted(jobs.indexOf(job) + 1, jobs.size(), job.name(), left.describe()));
                result = run(job, runner, unchanged ? ExistingRun.RESUME : ExistingRun.REPLACE, complete);
            }
            if (result.isPresent()) {
                runner.deleteStates();
                complete.add(result.get());
                left.done(job, result.get().seconds());
            } else {
                failed.add(job.name());
                left.failed(job);
            }
        }
        return failed;
    }

    private void requireUnchanged(List<Job> jobs) throws IOException {
        for (Job job : jobs) {
            List<String> differences = new ExperimentRunner(job.experiment(), progress).differencesFromExistingRun();
            if (!differences.isEmpty()) {
                throw new BadInputException(job.experiment().output() + ": was run with "
                        + String.join("; ", differences)
                        + "; wanted the same, another output, or --force to run what has changed again");
            }
        }
    }

    /** Runs a job, or what is left of it; none where it fails. */
    private Optional<Result> run(Job job, ExperimentRunner runner, ExistingRun existing, List<Result> complete)
            throws IOException {
        Path failure = failureFile(job);
        try {
            Result result = runner.run(existing, complete);
            Files.deleteIfExists(failure);
            return Optional.of(result);
        } catch (BadInputException e) {
            progress.line("failed: " + job.name() + ": " + e.getMessage());
            AtomicFiles.writeString(failure, e.getMessage() + "\n");
        } catch (RuntimeException e) {
            progress.line("failed: " + job.name() + ": " + e + "; see " + failure);
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            AtomicFiles.writeString(failure, trace.toString());
        }
        return Optional.empty();
    }

    /** Why a job failed, where it did; beside its folder, because a run's folder must be the run's alone. */
    static Path failureFile(Job job) {
        Path folder = job.experiment().output();
        return folder.resolveSibling(folder.getFileName() + ".failure.txt");
    }
}
