package org.fedlora4j.federation;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Where a run is: at one phase of one round.
 *
 * @param rounds of the run, warm-up rounds not counted
 * @param seed of the run
 * @param stage the phases before this one in the whole run, warm-up included
 */
public record RoundContext(Recipe recipe, int rounds, long seed, int stage) {
    public RoundContext {
        if (stage < 0 || stage >= stages(recipe, rounds)) {
            throw new IllegalArgumentException("stage " + stage + " of " + stages(recipe, rounds));
        }
    }

    /** The phases of a whole run. */
    public static int stages(Recipe recipe, int rounds) {
        return Math.addExact(
                warmUpStages(recipe), Math.multiplyExact(rounds, recipe.round().size()));
    }

    /** Whether this is a warm-up round; these and the others are counted apart. */
    public boolean warmUp() {
        return stage < warmUpStages(recipe);
    }

    /** The number of the warm-up round, or else of the round, from 1. */
    public int round() {
        return stageOfKind() / phases().size() + 1;
    }

    /** How many rounds of this kind the run has. */
    public int roundsOfKind() {
        return warmUp() ? recipe.warmUpRounds() : rounds;
    }

    /** The rounds before this one, warm-up rounds included. */
    public int roundsBefore() {
        return round() - 1 + (warmUp() ? 0 : recipe.warmUpRounds());
    }

    public Phase phase() {
        return phases().get(stageOfKind() % phases().size());
    }

    /** Whether this is the first phase of its round. */
    public boolean startsRound() {
        return stageOfKind() % phases().size() == 0;
    }

    /** Whether this is the last phase of its round. */
    public boolean endsRound() {
        return stageOfKind() % phases().size() == phases().size() - 1;
    }

    /** The round for people to read: {@code warm-up 1/2}, {@code round 3/6}. */
    public String label() {
        return (warmUp() ? "warm-up " : "round ") + round() + "/" + roundsOfKind();
    }

    /** The seed of all that is random in one client's training of this phase. */
    long clientSeed(String clientId) {
        String what =
                seed + "/" + (warmUp() ? "warm-up" : "round") + "/" + round() + "/" + phase().name() + "/" + clientId;
        return ByteBuffer.wrap(Sha256.digest().digest(what.getBytes(StandardCharsets.UTF_8)))
                .getLong();
    }

    private List<Phase> phases() {
        return warmUp() ? recipe.warmUp() : recipe.round();
    }

    private int stageOfKind() {
        return warmUp() ? stage : stage - warmUpStages(recipe);
    }

    private static int warmUpStages(Recipe recipe) {
        return Math.multiplyExact(recipe.warmUpRounds(), recipe.warmUp().size());
    }
}
