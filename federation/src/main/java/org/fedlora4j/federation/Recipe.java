package org.fedlora4j.federation;

import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.Part;

/**
 * A federated method as data: warm-up rounds, then the phases of every round.
 *
 * @param warmUpRounds how often the warm-up phases run before the first round; 0 exactly when there are none
 * @param warmUp phases of a warm-up round
 * @param round phases of every round; not empty
 * @param magnitudeAxis along which A and B are decomposed
 * @param magnitudeStep how magnitudes are trained
 * @param privateFactorIn names of the phases in which a client trains with its private magnitudes applied
 */
public record Recipe(
        String name,
        int warmUpRounds,
        List<Phase> warmUp,
        List<Phase> round,
        MagnitudeAxis magnitudeAxis,
        MagnitudeStep magnitudeStep,
        Set<String> privateFactorIn) {
    public Recipe {
        warmUp = List.copyOf(warmUp);
        round = List.copyOf(round);
        privateFactorIn = Collections.unmodifiableSet(new TreeSet<>(privateFactorIn));
        if (name.isBlank()) {
            throw new BadInputException("name: empty");
        }
        if (warmUpRounds < 0 || (warmUpRounds == 0) != warmUp.isEmpty()) {
            throw new BadInputException(
                    "warm-up.rounds: " + warmUpRounds + ", with " + warmUp.size() + " phases; wanted both or neither");
        }
        if (round.isEmpty()) {
            throw new BadInputException("round: empty, wanted at least one phase");
        }
        Set<String> names = new HashSet<>();
        for (Phase phase : Stream.concat(warmUp.stream(), round.stream()).toList()) {
            if (!names.add(phase.name())) {
                throw new BadInputException("name: two phases are called '" + phase.name() + "'");
            }
        }
        if (!names.containsAll(privateFactorIn)) {
            throw new BadInputException(
                    "private-factor-in: " + privateFactorIn + ", wanted names of phases: " + new TreeSet<>(names));
        }
        requireApart(keptBy(Stream.concat(warmUp.stream(), round.stream()).toList()));
    }

    /** All phases, those of the warm-up first. */
    public List<Phase> phases() {
        return Stream.concat(warmUp.stream(), round.stream()).toList();
    }

    /** All that clients keep to themselves. A client's own model is the shared parts with these. */
    public Set<Part> privateParts() {
        return keptBy(Stream.concat(warmUp.stream(), round.stream()).toList());
    }

    /**
     * The private parts that a client applies before it trains a phase: its magnitudes in the phases of {@link
     * #privateFactorIn}, and of the rest what the phase does not share.
     */
    public Set<Part> privatePartsIn(Phase phase) {
        Set<Part> parts = new TreeSet<>(privateParts());
        parts.removeIf(
                part -> part.isMagnitude() ? !privateFactorIn.contains(phase.name()) : part.overlapsAny(phase.share()));
        return parts;
    }

    /** The local steps of one round, all phases together. */
    public int stepsPerRound() {
        return round.stream().mapToInt(Phase::steps).sum();
    }

    private static Set<Part> keptBy(List<Phase> phases) {
        Set<Part> kept = new TreeSet<>();
        phases.forEach(phase -> kept.addAll(phase.keep()));
        return kept;
    }

    private static void requireApart(Set<Part> parts) {
        for (Part part : parts) {
            Set<Part> others = new TreeSet<>(parts);
            others.remove(part);
            if (part.overlapsAny(others)) {
                throw new BadInputException("round: clients keep both " + part + " and a part of it: " + parts);
            }
        }
    }
}
