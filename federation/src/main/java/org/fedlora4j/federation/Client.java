package org.fedlora4j.federation;

import java.util.Map;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.AdamW;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.Trainer;
import org.fedlora4j.model.Score;
import org.fedlora4j.model.TokenBatch;

/** One party: its examples and what it keeps to itself. Only {@link SharedUpdate}s leave it. */
final class Client {
    private final ClientData data;
    private final Federation.Settings settings;
    private PrivateParts own;

    Client(ClientData data, Federation.Settings settings) {
        this.data = data;
        this.settings = settings;
        this.own = PrivateParts.none(settings.recipe().magnitudeStep());
    }

    String id() {
        return data.id();
    }

    PrivateParts own() {
        return own;
    }

    /** Its own model: the global one cut to its rank, with its private parts. */
    AdapterState model(SharedParts shared) {
        return own.applyTo(shared.cutTo(data.rank()));
    }

    /** Goes on with what it kept in an earlier run. */
    void restore(PartValues values) {
        own = new PrivateParts(settings.recipe().magnitudeStep(), values);
    }

    /**
     * Trains one phase. What the phase trains and does not share is kept, what it shares is in the update.
     *
     * @param global the global model, of which the client sees what its rank allows
     * @param trainer of the phase's parts
     */
    SharedUpdate train(RoundContext context, SharedParts global, Trainer trainer, RunListener listener) {
        SharedParts shared = global.cutTo(data.rank());
        Phase phase = context.phase();
        long seed = context.clientSeed(id());
        trainer.start(
                applied(phase).applyTo(shared), AdamW.Settings.of(phase.learningRate(), phase.weightDecay()), seed);
        if (phase.proximal() > 0) {
            trainer.pullTowards(shared.values(phase.train()).values(), phase.proximal());
        }
        Batches batches =
                new Batches(data.train(), settings.batchSize(), settings.batchWindow(), settings.padId(), seed);
        Score score = Score.ZERO;
        long tokens = 0;
        long padding = 0;
        for (int step = 1; step <= phase.steps(); step++) {
            TokenBatch batch = batches.next();
            Score before = trainer.step(batch, context.rateFactor(step - 1));
            requireFinite(before.meanLoss(), context, step);
            listener.clientStep(context, id(), step, before.meanLoss(), batch.tokens());
            score = score.plus(before);
            tokens += batch.tokens();
            padding += batch.padding();
        }
        PartValues trained = new PartValues(trainer.trained());
        requireFinite(trained, context);
        return update(context, shared, trained, new PhaseResult.Training(score.meanLoss(), tokens, padding));
    }

    /** What the client has of its own and applies to the shared parts before it trains a phase. */
    PrivateParts applied(Phase phase) {
        return own.only(settings.recipe().privatePartsIn(phase));
    }

    /**
     * Keeps what a phase trained and does not share, and sends what it shares.
     *
     * @param shared the global model that the training started from, with {@link #applied}
     * @param trained values of all that the phase trains
     */
    SharedUpdate update(RoundContext context, SharedParts shared, PartValues trained, PhaseResult.Training training) {
        Phase phase = context.phase();
        PrivateParts applied = applied(phase);
        own = own.updated(shared, trained.only(phase.keep()));
        return sent(
                context, shared, training.metrics(), applied.removeFrom(trained.only(phase.share()), shared.axis()));
    }

    /** The update that holds these values; of the shared parts only the shapes count. */
    SharedUpdate sent(RoundContext context, SharedParts shared, Map<String, Double> metrics, PartValues values) {
        return new SharedUpdate(
                id(),
                context.phase(),
                context.roundsBefore(),
                shared,
                data.rank(),
                data.train().size(),
                metrics,
                values);
    }

    private void requireFinite(double loss, RoundContext context, int step) {
        if (!Double.isFinite(loss)) {
            throw diverged("the loss before step " + step + " is " + loss, context);
        }
    }

    private void requireFinite(PartValues trained, RoundContext context) {
        if (!trained.isFinite()) {
            throw diverged("a trained value is not finite", context);
        }
    }

    private BadInputException diverged(String found, RoundContext context) {
        return new BadInputException("client " + id() + ", " + context.label() + ", phase "
                + context.phase().name() + ": " + found + "; wanted finite ones: lower the phase's learning-rate, now "
                + context.phase().learningRate());
    }
}
