package org.fedlora4j.federation;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Consumer;
import org.fedlora4j.common.BadInputException;

/**
 * Where a run saves its state after every phase: in a folder of its own, named by the six-digit number of phases done,
 * that appears whole or not at all. The latest two are kept.
 */
public final class StateFolder {
    private static final int KEPT = 2;

    private final NumberedFolders folders;

    /** @param folder need not exist yet; one state folder per run */
    public StateFolder(Path folder) {
        this.folders = new NumberedFolders(folder, KEPT);
    }

    /** Saves a state; one of the same phase is replaced. */
    void save(RunState state) throws IOException {
        folders.save(state.stagesDone(), state::write);
    }

    /**
     * The latest state that is sound; none if nothing was saved.
     *
     * @param warning is told about a damaged one
     * @throws BadInputException if every state is damaged
     */
    Optional<RunState> loadLatest(Consumer<String> warning) throws IOException {
        Collection<Path> states = folders.all().descendingMap().values();
        for (Path state : states) {
            try {
                return Optional.of(RunState.read(state));
            } catch (IOException | RuntimeException e) {
                warning.accept(state + ": damaged, so the run goes on from the state before it: " + e.getMessage());
            }
        }
        if (!states.isEmpty()) {
            throw new BadInputException(
                    folders.path() + ": every saved state is damaged, wanted a sound one of " + states);
        }
        return Optional.empty();
    }
}
