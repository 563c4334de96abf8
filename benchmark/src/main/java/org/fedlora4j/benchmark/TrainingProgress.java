package org.fedlora4j.benchmark;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import org.fedlora4j.common.Progress;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RoundContext;

/** Shows how training goes: round, phase, client, step, loss, tokens per second and the time that training will take yet. */
final class TrainingProgress {
    private final Progress progress;
    private final InstantSource clock;
    private final int clients;

    /** The client that trains, and its number. */
    private String client = "";

    private int clientNumber;

    /** Of the whole run, before this process included. */
    private long stepsDone;

    /** Of the whole run. */
    private long steps;

    private Instant stepBegan = Instant.EPOCH;

    // What follows is measured in this process, while training only.
    private double seconds;
    private long measuredSteps;
    private long measuredTokens;

    /** @param clients that train in a round: one under a pooled recipe */
    TrainingProgress(Progress progress, InstantSource clock, int clients) {
        this.progress = progress;
        this.clock = clock;
        this.clients = clients;
    }

    private long stepsBefore(RoundContext context, int stage) {
        long sum = 0;
        for (int before = 0; before < stage; before++) {
            sum += new RoundContext(context.recipe(), context.rounds(), context.seed(), before)
                    .phase()
                    .steps();
        }
        return sum * clients;
    }

    void phaseStarted(RoundContext context) {
        stepsDone = stepsBefore(context, context.stage());
        steps = stepsBefore(context, RoundContext.stages(context.recipe(), context.rounds()));
        stepBegan = clock.instant();
        client = "";
        clientNumber = 0;
    }

    void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
        if (!clientId.equals(client)) {
            client = clientId;
            clientNumber++;
        }
        Instant now = clock.instant();
        seconds += Duration.between(stepBegan, now).toNanos() / 1e9;
        stepBegan = now;
        stepsDone++;
        measuredSteps++;
        measuredTokens += tokens;
        progress.status(String.format(
                Locale.ROOT,
                "%s, %s, client %d/%d %s, step %d/%d: loss %.3f, %.0f tokens/s, %s of training left",
                context.label(),
                context.phase().name(),
                clientNumber,
                clients,
                clientId,
                step,
                context.phase().steps(),
                loss,
                measuredTokens / seconds,
                Progress.time((steps - stepsDone) * seconds / measuredSteps)));
    }

    void phaseEnded(RoundContext context, PhaseResult result) {
        progress.line(String.format(
                Locale.ROOT,
                "%s, %s: mean loss %.4f, %d tokens, %.1f %% padding",
                context.label(),
                result.phase(),
                result.loss(),
                result.tokens(),
                100 * paddedShare(result.tokens(), result.padding())));
    }

    /** Padding among all tokens that were computed; 0 where there were none. */
    static double paddedShare(long tokens, long padding) {
        return (double) padding / Math.max(1, tokens + padding);
    }
}
