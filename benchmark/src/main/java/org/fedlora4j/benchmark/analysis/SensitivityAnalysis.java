package org.fedlora4j.benchmark.analysis;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.fedlora4j.benchmark.RunAdapters;
import org.fedlora4j.benchmark.analysis.AdapterDifference.Named;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.lora.Part;
import org.jspecify.annotations.Nullable;

/**
 * In what the adapters of a run differ (arXiv 2510.11274): how far directions and magnitudes of A and B are from one
 * adapter to another.
 *
 * @param run its folder
 * @param recipe that the run followed
 * @param from the adapter that each client's is compared with
 * @param clients whose adapters were compared, sorted
 * @param comparisons from that adapter to each client's, then of each two clients; the latter only where there are two
 */
public record SensitivityAnalysis(
        Path run, Recipe recipe, Path from, List<String> clients, List<Comparison> comparisons) {
    public SensitivityAnalysis {
        clients = List.copyOf(clients);
        comparisons = List.copyOf(comparisons);
    }

    /**
     * Compares the adapters of a run.
     *
     * @param other an adapter's folder, to compare the clients' with in place of the shared one
     * @throws BadInputException if the folder is no run's, has no adapters of clients, or they have differing shapes
     */
    public static SensitivityAnalysis of(Path run, @Nullable Path other) throws IOException {
        RunAdapters adapters = RunAdapters.open(run);
        List<String> clients = adapters.clients();
        if (clients.isEmpty()) {
            throw new BadInputException(run + ": has no client's adapter; wanted a run that is complete");
        }
        Path from = other == null ? adapters.global() : other;
        Named before = new Named(from.toString(), adapters.read(from));
        List<Named> own = new ArrayList<>();
        for (String client : clients) {
            own.add(new Named(client, adapters.read(adapters.client(client))));
        }
        return new SensitivityAnalysis(
                run, adapters.recipe(), from, clients, comparisons(before, other == null ? "shared" : "other", own));
    }

    private static List<Comparison> comparisons(Named before, String key, List<Named> own) {
        List<Comparison> comparisons = new ArrayList<>();
        comparisons.add(new Comparison(
                key + " to client",
                key,
                own.stream()
                        .map(client -> AdapterDifference.between(before, client))
                        .toList()));
        List<AdapterDifference> pairs = new ArrayList<>();
        for (int i = 0; i < own.size(); i++) {
            for (int j = i + 1; j < own.size(); j++) {
                pairs.add(AdapterDifference.apart(own.get(i), own.get(j)));
            }
        }
        if (!pairs.isEmpty()) {
            comparisons.add(new Comparison("client to client", "clients", pairs));
        }
        return comparisons;
    }

    /** The parts that are the same in all of the run's adapters, along the recipe's axis: no client keeps them. */
    public Set<Part> sameByRecipe() {
        Set<Part> same = EnumSet.of(Part.A_DIRECTION, Part.A_MAGNITUDE, Part.B_DIRECTION, Part.B_MAGNITUDE);
        same.removeIf(part -> part.overlapsAny(recipe.privateParts()));
        return same;
    }
}
