package org.fedlora4j.benchmark.speed.report;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.model.exec.Precision;

/** Two precisions that are compared: fedlora4j's and a peer's. */
enum Case {
    F32("f32", "f32"),
    BF16("bf16", "bf16"),
    AUTOCAST("bf16", "autocast");

    private final String ours;
    private final String peers;

    Case(String ours, String peers) {
        this.ours = ours;
        this.peers = peers;
    }

    /** The cases that a list names, without those that can't be computed here, of which the user is told. */
    static List<Case> chosen(String names, Session session) {
        List<Case> possible = Stream.of(names.split(","))
                .map(Case::named)
                .filter(chosen -> chosen.isPossible(session))
                .toList();
        if (possible.isEmpty()) {
            throw new BadInputException("--cases: none of " + names + " can be computed here");
        }
        return possible;
    }

    /** As {@code --precision} spells it. */
    String ours() {
        return ours;
    }

    String peers() {
        return peers;
    }

    /** The subject that computes in {@link #ours}. */
    String ourName() {
        return "fedlora4j " + ours;
    }

    String peerName(String peer) {
        return peer + " " + peers;
    }

    /** The subject that computes fedlora4j's frozen-weight matmuls and nothing else. */
    String limitName() {
        return "matmuls " + ours;
    }

    String title(String peer) {
        return ours.equals(peers) ? ours : ours + ", " + peer + " " + peers;
    }

    private boolean isPossible(Session session) {
        try {
            Precision.choose(ours);
            return true;
        } catch (BadInputException e) {
            session.say(peers + " is left out: " + e.getMessage());
            return false;
        }
    }

    private static Case named(String name) {
        return Stream.of(values())
                .filter(value -> value.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInputException("--cases: " + name + ", wanted some of f32,bf16,autocast"));
    }
}
