package org.fedlora4j.grpc;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Fields;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.lora.Part;

/**
 * What a client's owner lets leave it. It is the client's own file; no server can change it.
 *
 * @param parts that may be sent
 * @param firstRound in which anything may be sent, counted from 1 over all rounds, warm-up and finish included
 * @param lastRound likewise
 * @param minExamples that an update must rest on
 */
public record Policy(Set<Part> parts, int firstRound, int lastRound, int minExamples) {
    /** Lets all parts leave, always. */
    public static final Policy OPEN = new Policy(Set.of(Part.values()), 1, Integer.MAX_VALUE, 1);

    public Policy {
        parts = Collections.unmodifiableSet(new TreeSet<>(parts));
        require(firstRound >= 1, "first-round: " + firstRound + ", wanted at least 1");
        require(lastRound >= firstRound, "last-round: " + lastRound + ", wanted at least first-round, " + firstRound);
        require(minExamples >= 1, "min-examples: " + minExamples + ", wanted at least 1");
    }

    /**
     * A policy from a parsed file.
     *
     * @param source for messages: the file
     * @throws BadInputException if it isn't as it should be
     */
    public static Policy fromTree(JsonNode tree, String source) {
        List<String> problems = new ArrayList<>();
        Fields fields = new Fields(tree, "", problems);
        Set<Part> parts = fields.set("parts", Part::named);
        int firstRound = fields.integer("first-round", 1);
        int lastRound = fields.integer("last-round", Integer.MAX_VALUE);
        int minExamples = fields.integer("min-examples", 1);
        return fields.build(() -> new Policy(parts, firstRound, lastRound, minExamples))
                .orElseThrow(() -> new BadInputException(source + ": " + String.join("; ", problems)));
    }

    /**
     * Refuses to join with so few examples.
     *
     * @throws BadInputException if the policy wants more
     */
    void requireExamples(int examples) {
        require(
                examples >= minExamples,
                "policy: min-examples is " + minExamples + ", and the client has " + examples + "; nothing was sent");
    }

    /**
     * Refuses to take part in a phase.
     *
     * @throws BadInputException if the policy forbids what the phase sends; nothing of it has been trained then
     */
    void requireAllowed(RoundContext context) {
        int round = context.roundsBefore() + 1;
        String what = context.label() + ", phase " + context.phase().name();
        Set<Part> shared = context.phase().share();
        if (shared.isEmpty()) {
            return;
        }
        require(
                round >= firstRound && round <= lastRound,
                "policy: parts may leave in rounds " + firstRound + " to " + lastRound + ", and " + what + " is round "
                        + round + "; nothing of it was sent");
        require(
                parts.containsAll(shared),
                "policy: parts " + parts + " may leave, and " + what + " sends " + shared + "; nothing of it was sent");
    }

    private static void require(boolean condition, String problem) {
        if (!condition) {
            throw new BadInputException(problem);
        }
    }
}
