package org.fedlora4j.federation;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import org.fedlora4j.common.Sha256;

/**
 * Where a run is: at one phase of one round. A run has warm-up rounds, then rounds, then a finish, which is as one more
 * round; each kind has its own phases and is counted apart.
 *
 * @param rounds of the run, warm-up rounds and the finish not counted
 * @param seed of the run
 * @param stage the phases before this one in the whole run, warm-up included
 */
public record RoundContext(Recipe recipe, int rounds, long seed, int stage) {
    /** The kinds of rounds, in the order in which they come. */
    public enum Kind {
        WARM_UP("warm-up"),
        ROUND("round"),
        FINISH("finish");

        private final String text;

        Kind(String text) {
            this.text = text;
        }

        /** For people to read. */
        @Override
        public String toString() {
            return text;
        }

        private int rounds(Recipe recipe, int rounds) {
            return switch (this) {
                case WARM_UP -> recipe.warmUpRounds();
                case ROUND -> rounds;
                case FINISH -> recipe.finish().isEmpty() ? 0 : 1;
            };
        }

        private List<Phase> phases(Recipe recipe) {
            return switch (this) {
                case WARM_UP -> recipe.warmUp();
                case ROUND -> recipe.round();
                case FINISH -> recipe.finish();
            };
        }

        private int stages(Recipe recipe, int rounds) {
            return Math.multiplyExact(rounds(recipe, rounds), phases(recipe).size());
        }
    }

    public RoundContext {
        if (stage < 0 || stage >= stages(recipe, rounds)) {
            throw new IllegalArgumentException("stage " + stage + " of " + stages(recipe, rounds));
        }
    }

    /** The phases of a whole run. */
    public static int stages(Recipe recipe, int rounds) {
        int stages = 0;
        for (Kind kind : Kind.values()) {
            stages = Math.addExact(stages, kind.stages(recipe, rounds));
        }
        return stages;
    }

    public Kind kind() {
        int before = 0;
        for (Kind kind : Kind.values()) {
            before += kind.stages(recipe, rounds);
            if (stage < before) {
                return kind;
            }
        }
        throw new IllegalStateException("stage " + stage + " of " + before);
    }

    /** The number of this round among those of its kind, from 1. */
    public int round() {
        return stageOfKind() / phases().size() + 1;
    }

    /** How many rounds of this kind the run has. */
    public int roundsOfKind() {
        return kind().rounds(recipe, rounds);
    }

    /** The rounds before this one, of all kinds. */
    public int roundsBefore() {
        int before = round() - 1;
        for (Kind kind : Kind.values()) {
            before += kind.compareTo(kind()) < 0 ? kind.rounds(recipe, rounds) : 0;
        }
        return before;
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

    /** Whether this is the last phase of the run. */
    public boolean endsRun() {
        return stage == stages(recipe, rounds) - 1;
    }

    /** The round for people to read: {@code warm-up 1/2}, {@code round 3/6}, {@code finish}. */
    public String label() {
        return kind() == Kind.FINISH ? kind().toString() : kind() + " " + round() + "/" + roundsOfKind();
    }

    /**
     * The factor on the phase's learning rate. Its schedule is over all rounds of the run that have the phase.
     *
     * @param step of this phase in this round, from 0
     */
    double rateFactor(int step) {
        long steps = phase().steps();
        return phase().schedule().factor((round() - 1) * steps + step, roundsOfKind() * steps);
    }

    /** How many of so many clients a round has: the share of them, rounded, but at least one. */
    static int participants(int clients, double participation) {
        return Math.max(1, (int) Math.round(participation * clients));
    }

    /**
     * The clients of this round, drawn without replacement; the same in all its phases.
     *
     * @param clients all there are
     * @param participation the share of them that takes part, above 0 and at most 1
     */
    public SortedSet<String> participants(SortedSet<String> clients, double participation) {
        List<String> drawn = new ArrayList<>(clients);
        Collections.shuffle(drawn, new Random(seed("clients")));
        return new TreeSet<>(drawn.subList(0, participants(clients.size(), participation)));
    }

    /** The seed of all that is random in one client's training of this phase. */
    long clientSeed(String clientId) {
        return seed(phase().name() + "/" + clientId);
    }

    private long seed(String of) {
        String what = seed + "/" + kind() + "/" + round() + "/" + of;
        return ByteBuffer.wrap(Sha256.digest().digest(what.getBytes(StandardCharsets.UTF_8)))
                .getLong();
    }

    private List<Phase> phases() {
        return kind().phases(recipe);
    }

    private int stageOfKind() {
        int stageOfKind = stage;
        for (Kind kind : Kind.values()) {
            stageOfKind -= kind.compareTo(kind()) < 0 ? kind.stages(recipe, rounds) : 0;
        }
        return stageOfKind;
    }
}
