package org.fedlora4j.federation;

import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.LearningRateSchedule;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.MagnitudeStep;
import org.fedlora4j.lora.Part;

/**
 * A federated method as data: warm-up rounds, then the phases of every round, then those of the finish.
 *
 * @param warmUpRounds how often the warm-up phases run before the first round; 0 exactly when there are none
 * @param warmUp phases of a warm-up round
 * @param round phases of every round; not empty
 * @param finish phases that run once, after the last round; may be empty
 * @param pooled whether all clients' examples are trained on at one place, in as many steps as all clients take
 *     together: no federation, but what one is compared with. Nothing is private then
 * @param magnitudeAxis along which A and B are decomposed
 * @param magnitudeStep how magnitudes are trained
 * @param privateFactorIn names of the phases in which a client trains with its private magnitudes applied
 */
public record Recipe(
        String name,
        int warmUpRounds,
        List<Phase> warmUp,
        List<Phase> round,
        List<Phase> finish,
        boolean pooled,
        MagnitudeAxis magnitudeAxis,
        MagnitudeStep magnitudeStep,
        Set<String> privateFactorIn) {
    public Recipe {
        warmUp = List.copyOf(warmUp);
        round = List.copyOf(round);
        finish = List.copyOf(finish);
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
        List<Phase> all = Stream.of(warmUp, round, finish).flatMap(List::stream).toList();
        for (Phase phase : all) {
            if (!names.add(phase.name())) {
                throw new BadInputException("name: two phases are called '" + phase.name() + "'");
            }
        }
        if (!names.containsAll(privateFactorIn)) {
            throw new BadInputException(
                    "private-factor-in: " + privateFactorIn + ", wanted names of phases: " + new TreeSet<>(names));
        }
        Set<Part> kept = keptBy(all);
        requireApart(kept);
        if (pooled && !kept.isEmpty()) {
            throw new BadInputException("pooled: true, with " + kept
                    + " kept private; wanted phases that share all they train, for nobody is left to keep it from");
        }
    }

    /** All phases, those of the warm-up first. */
    public List<Phase> phases() {
        return Stream.of(warmUp, round, finish).flatMap(List::stream).toList();
    }

    /** All that clients keep to themselves. A client's own model is the shared parts with these. */
    public Set<Part> privateParts() {
        return keptBy(phases());
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

    /**
     * Refuses a pooled recipe, for clients that are apart.
     *
     * @throws BadInputException if it is one
     */
    public void requireFederated() {
        if (pooled) {
            throw new BadInputException(
                    "recipe: " + name + " is pooled, wanted one whose clients keep their examples to themselves");
        }
    }

    /** The local steps of one round, all phases together. */
    public int stepsPerRound() {
        return round.stream().mapToInt(Phase::steps).sum();
    }

    /** Whether what a run does depends on how many rounds come yet; such a run can't be made longer. */
    boolean dependsOnRounds() {
        return !finish.isEmpty() || round.stream().anyMatch(phase -> phase.schedule() != LearningRateSchedule.CONSTANT);
    }

    /** The same with so many times the steps in each phase: what one client does in place of several. */
    Recipe withStepsTimes(int factor) {
        return new Recipe(
                name,
                warmUpRounds,
                stepsTimes(factor, warmUp),
                stepsTimes(factor, round),
                stepsTimes(factor, finish),
                pooled,
                magnitudeAxis,
                magnitudeStep,
                privateFactorIn);
    }

    private static List<Phase> stepsTimes(int factor, List<Phase> phases) {
        return phases.stream()
                .map(phase -> phase.withSteps(Math.multiplyExact(factor, phase.steps())))
                .toList();
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
