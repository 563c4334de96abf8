package org.fedlora4j.benchmark.metrics;

/**
 * How well tokens were predicted. Scores of parts add up to those of the whole.
 *
 * @param lossSum cross-entropy in nats, summed over the targets; not finite if the model diverged
 * @param targets positions with a target
 * @param correct targets that were the most probable token
 */
public record TokenScores(double lossSum, long targets, long correct) {
    /** The scores of no tokens. */
    public static final TokenScores NONE = new TokenScores(0, 0, 0);

    public TokenScores {
        if (targets < 0 || correct < 0 || correct > targets) {
            throw new IllegalArgumentException(correct + " of " + targets + " targets correct, wanted 0 to all");
        }
    }

    /** The scores of both together. */
    public TokenScores plus(TokenScores other) {
        return new TokenScores(
                lossSum + other.lossSum, Math.addExact(targets, other.targets), Math.addExact(correct, other.correct));
    }

    /** Cross-entropy per target, in nats. */
    public double meanLoss() {
        return lossSum / requireTargets();
    }

    /** e to the mean loss. */
    public double perplexity() {
        return Math.exp(meanLoss());
    }

    /** The share of targets that were the most probable token. */
    public double tokenAccuracy() {
        return (double) correct / requireTargets();
    }

    private long requireTargets() {
        if (targets == 0) {
            throw new IllegalStateException("no targets, so no mean");
        }
        return targets;
    }
}
