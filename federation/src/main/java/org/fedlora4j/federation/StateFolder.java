package org.fedlora4j.federation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;

/**
 * Where a run saves its state after every phase: in a folder of its own, named by the six-digit number of phases done,
 * that appears whole or not at all. The latest two are kept.
 */
public final class StateFolder {
    private static final int KEPT = 2;
    private static final Pattern STATE = Pattern.compile("[0-9]{6}");
    private static final Pattern HALF_WRITTEN = Pattern.compile("\\.[0-9]{6}\\.[0-9]+\\.tmp");

    private final Path folder;

    /** @param folder need not exist yet; one state folder per run */
    public StateFolder(Path folder) {
        this.folder = folder;
    }

    /** Saves a state; one of the same phase is replaced. */
    void save(RunState state) throws IOException {
        Path target = folder.resolve(String.format(Locale.ROOT, "%06d", state.stagesDone()));
        AtomicFiles.deleteRecursively(target);
        AtomicFiles.writeFolder(target, state::write);
        for (Path old : states().stream().skip(KEPT).toList()) {
            AtomicFiles.deleteRecursively(old);
        }
        for (Path halfWritten : entries(HALF_WRITTEN)) {
            AtomicFiles.deleteRecursively(halfWritten);
        }
    }

    /**
     * The latest state that is sound; none if nothing was saved.
     *
     * @param warning is told about a damaged one
     * @throws BadInputException if every state is damaged
     */
    Optional<RunState> loadLatest(Consumer<String> warning) throws IOException {
        List<Path> states = states();
        for (Path state : states) {
            try {
                return Optional.of(RunState.read(state));
            } catch (IOException | RuntimeException e) {
                warning.accept(state + ": damaged, so the run goes on from the state before it: " + e.getMessage());
            }
        }
        if (!states.isEmpty()) {
            throw new BadInputException(folder + ": every saved state is damaged, wanted a sound one of " + states);
        }
        return Optional.empty();
    }

    /** Latest first. */
    private List<Path> states() throws IOException {
        return entries(STATE).stream().sorted(Comparator.reverseOrder()).toList();
    }

    private List<Path> entries(Pattern name) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(
                            path -> name.matcher(path.getFileName().toString()).matches())
                    .toList();
        }
    }
}
