package org.fedlora4j.benchmark;

import java.util.Locale;
import org.fedlora4j.common.Progress;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;

/** Shows how a client that took no part in training personalises the global model. */
record PersonalisingProgress(Progress progress) implements RunListener {
    @Override
    public void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {
        progress.status(String.format(
                Locale.ROOT,
                "unseen client %s personalises, %s, %s, step %d/%d: loss %.3f",
                clientId,
                context.label(),
                context.phase().name(),
                step,
                context.phase().steps(),
                loss));
    }

    @Override
    public void warning(String line) {
        progress.line("warning: " + line);
    }
}
