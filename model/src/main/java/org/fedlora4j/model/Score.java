package org.fedlora4j.model;

/**
 * How well a model predicts targets. Scores add: the score of two sets together is their sum.
 *
 * @param loss sum over targets of -log p(target), in nats
 * @param targets how many there are
 * @param correct how many have the largest logit
 */
public record Score(double loss, long targets, long correct) {
    public static final Score ZERO = new Score(0, 0, 0);

    public Score plus(Score other) {
        return new Score(loss + other.loss, targets + other.targets, correct + other.correct);
    }

    /** Mean loss per target, in nats; NaN without targets. */
    public double meanLoss() {
        return loss / targets;
    }

    /** exp of the mean loss. */
    public double perplexity() {
        return Math.exp(meanLoss());
    }

    /** Share of targets with the largest logit. */
    public double accuracy() {
        return (double) correct / targets;
    }
}
