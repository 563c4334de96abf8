package org.fedlora4j.federation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;

/**
 * All that a run needs to go on after a phase, to the last bit. Nothing random carries over: every phase draws from seeds
 * of its own. On disk it is a folder:
 *
 * <pre>
 *   state.json                 position, settings, results of the round so far
 *   shared.safetensors         A and B of the global model, as A/&lt;module&gt; and B/&lt;module&gt;
 *   client-&lt;n&gt;.safetensors     what the n-th client of state.json keeps, as &lt;part&gt;/&lt;module&gt;
 *   server-&lt;n&gt;.safetensors     the running means of the n-th optimizer of state.json
 *   SHA256SUMS                 checksums of them all, as {@code sha256sum -c} takes them
 * </pre>
 *
 * @param stagesDone the phases done, warm-up included
 * @param settings what the run is made of, see {@link Fingerprint}
 * @param shared A and B of the global model
 * @param clients what each client keeps to itself; those that have nothing yet are left out
 * @param optimizers the server optimizers' running means, by phase and tensor; those that have none are left out
 * @param round the results so far of the round that the last phase belongs to
 */
record RunState(
        int stagesDone,
        SortedMap<String, String> settings,
        PartValues shared,
        SortedMap<String, PartValues> clients,
        SortedMap<String, SortedMap<String, Matrix>> optimizers,
        List<PhaseResult> round) {
    private static final String INDEX = "state.json";
    private static final String SHARED = "shared";
    private static final String CLIENT = "client-";
    private static final String SERVER = "server-";

    RunState {
        settings = Collections.unmodifiableSortedMap(new TreeMap<>(settings));
        clients = Collections.unmodifiableSortedMap(new TreeMap<>(clients));
        optimizers = Collections.unmodifiableSortedMap(new TreeMap<>(optimizers));
        round = List.copyOf(round);
    }

    /** What {@code state.json} holds. */
    private record Index(
            int stagesDone,
            SortedMap<String, String> settings,
            List<String> clients,
            List<String> optimizers,
            List<PhaseResult> round) {}

    /** Writes the files into an empty folder. */
    void write(Path folder) throws IOException {
        Index index =
                new Index(stagesDone, settings, List.copyOf(clients.keySet()), List.copyOf(optimizers.keySet()), round);
        Files.write(folder.resolve(INDEX), StateFiles.JSON.writeValueAsBytes(index));
        StateFiles.write(shared, folder, SHARED);
        int client = 0;
        for (PartValues own : clients.values()) {
            StateFiles.write(own, folder, CLIENT + client++);
        }
        int server = 0;
        for (SortedMap<String, Matrix> means : optimizers.values()) {
            StateFiles.write(means, folder, SERVER + server++);
        }
        StateFiles.seal(folder);
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws BadInputException if a checksum differs
     */
    static RunState read(Path folder) throws IOException {
        StateFiles.requireSealed(folder);
        Index index = StateFiles.JSON.readValue(folder.resolve(INDEX).toFile(), Index.class);
        SortedMap<String, PartValues> clients = new TreeMap<>();
        for (String client : index.clients) {
            clients.put(client, StateFiles.readValues(folder, CLIENT + clients.size()));
        }
        SortedMap<String, SortedMap<String, Matrix>> optimizers = new TreeMap<>();
        for (String phase : index.optimizers) {
            optimizers.put(phase, StateFiles.read(folder, SERVER + optimizers.size()));
        }
        PartValues shared = StateFiles.readValues(folder, SHARED);
        return new RunState(index.stagesDone, index.settings, shared, clients, optimizers, index.round);
    }

    /**
     * Refuses a state whose parts or shapes are not those of a run.
     *
     * @param initial the run's global model, for its shapes
     */
    void requireFits(SharedParts initial, Federation.Settings run) {
        Recipe recipe = run.recipe();
        int stages = RoundContext.stages(recipe, run.rounds());
        require(
                stagesDone >= 1 && stagesDone <= stages,
                stagesDone + " phases done, wanted 1 to " + stages + " for " + run.rounds() + " rounds");
        require(
                shared.sameShape(initial.values(shared.parts()))
                        && shared.parts().equals(Set.of(Part.A, Part.B)),
                SHARED + ": wanted A and B in the shapes of the adapter");
        SharedParts current = initial.with(shared);
        clients.forEach((id, own) -> require(
                recipe.privateParts().containsAll(own.parts()) && own.sameShape(current.values(own.parts())),
                "client " + id + ": parts " + own.parts() + ", wanted some of " + recipe.privateParts()
                        + " in the shapes of the adapter"));
    }

    private static void require(boolean condition, String problem) {
        if (!condition) {
            throw new BadInputException("the saved state: " + problem);
        }
    }
}
