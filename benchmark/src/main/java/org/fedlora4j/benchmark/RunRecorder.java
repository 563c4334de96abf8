package org.fedlora4j.benchmark;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.Progress;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;

/** Shows how a run goes on, evaluates its rounds and records them. */
final class RunRecorder implements RunListener {
    private final Experiment.Evaluation settings;
    private final ModelScores scores;
    private final MetricsLog log;
    private final TrainingProgress training;
    private final Progress progress;
    private final InstantSource clock;

    /** When the round began or, if that was in an earlier process, when this one went on. */
    private Instant roundBegan;

    RunRecorder(
            Experiment.Evaluation settings,
            ModelScores scores,
            MetricsLog log,
            TrainingProgress training,
            Progress progress,
            InstantSource clock) {
        this.settings = settings;
        this.scores = scores;
        this.log = log;
        this.training = training;
        this.progress = progress;
        this.clock = clock;
        this.roundBegan = clock.instant();
    }

    @Override
    public void phaseStarted(RoundContext context) {
        training.phaseStarted(context);
    }

    @Override
    public void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
        training.clientStep(context, clientId, step, loss, tokens);
    }

    @Override
    public void phaseEnded(RoundContext context, PhaseResult result) {
        training.phaseEnded(context, result);
    }

    @Override
    public void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) throws IOException {
        if (log.has(context)) {
            return;
        }
        SortedMap<String, Metrics> metrics = new TreeMap<>();
        if (!context.endsRun() && settings.eachRound() != Experiment.EachRound.NOTHING) {
            boolean generate = settings.eachRound() == Experiment.EachRound.ALL && settings.rouge();
            SortedMap<String, Metrics> global = scores.global(federation, generate);
            metrics.put(MetricsLog.GLOBAL, mean(global));
            if (context.kind() != RoundContext.Kind.WARM_UP) {
                metrics.put(MetricsLog.LOCAL, mean(scores.local(federation, federation::personal, global, generate)));
            }
            progress.line(context.label() + ", on test examples: " + losses(metrics));
        }
        Instant now = clock.instant();
        log.add(context, phases, Duration.between(roundBegan, now).toNanos() / 1e9, metrics);
        roundBegan = now;
    }

    @Override
    public void warning(String line) {
        progress.line("warning: " + line);
    }

    private static Metrics mean(SortedMap<String, Metrics> clients) {
        return Metrics.mean(new ArrayList<>(clients.values()), true);
    }

    private static String losses(SortedMap<String, Metrics> metrics) {
        List<String> losses = new ArrayList<>();
        metrics.forEach(
                (model, scored) -> losses.add(String.format(Locale.ROOT, "%s loss %.4f", model, scored.loss())));
        return String.join(", ", losses);
    }
}
