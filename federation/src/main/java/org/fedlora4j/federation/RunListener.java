package org.fedlora4j.federation;

import java.io.IOException;
import java.util.List;

/** Is told how a run goes on. What it throws ends the run, which can then be resumed. */
public interface RunListener {
    /** Listens to nothing. */
    RunListener NONE = new RunListener() {};

    default void phaseStarted(RoundContext context) throws IOException {}

    /**
     * A client made an optimizer step.
     *
     * @param step from 1 to the phase's steps
     * @param loss the batch's mean loss before the step, in nats
     * @param tokens in the batch, padding not counted
     */
    default void clientStep(RoundContext context, String clientId, int step, double loss, long tokens) {}

    /** A client sent an update: this is all that leaves it. */
    default void updateSent(RoundContext context, SharedUpdate update) throws IOException {}

    /** A phase is over and, where a run is saved, its state is. */
    default void phaseEnded(RoundContext context, PhaseResult result) throws IOException {}

    /**
     * A round is over; time to evaluate. A run that was resumed calls this again for the round that it had finished last,
     * because it can't know whether the listener was done with it.
     *
     * @param context of the round's last phase
     * @param phases the results of the round's phases, in order
     * @param federation gives the global model and the clients' own
     */
    default void roundEnded(RoundContext context, List<PhaseResult> phases, Federation federation) throws IOException {}

    /** Something that the user should know, in one line. */
    default void warning(String line) {}
}
