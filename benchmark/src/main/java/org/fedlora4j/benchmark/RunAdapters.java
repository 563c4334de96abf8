package org.fedlora4j.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.config.LlamaConfig;

/** The adapters that a run has made: the global one and each client's own. */
public final class RunAdapters {
    private static final String GLOBAL = "global";
    private static final String CLIENT = "client-";
    private static final String UNSEEN = "unseen-";

    private final Path run;
    private final Experiment experiment;

    private RunAdapters(Path run, Experiment experiment) {
        this.run = run;
        this.experiment = experiment;
    }

    /**
     * Opens a run folder.
     *
     * @throws BadInputException if it is none, or has no adapters yet
     */
    public static RunAdapters open(Path run) throws IOException {
        Path file = run.resolve(RunFolder.EXPERIMENT);
        if (!Files.isRegularFile(file)) {
            throw new BadInputException(run + ": no run's folder; wanted one with " + RunFolder.EXPERIMENT);
        }
        RunAdapters adapters = new RunAdapters(run, ExperimentFile.load(file, List.of()));
        if (!Files.isDirectory(run.resolve(RunFolder.ADAPTERS))) {
            throw new BadInputException(run + ": has no adapters yet; wanted a run that is complete");
        }
        return adapters;
    }

    /** The model that the run adapts, as its experiment names it. */
    public Path model() {
        return experiment.model();
    }

    /** The global adapter's folder. */
    public Path global() {
        return folder(GLOBAL);
    }

    /**
     * The folder of a client's own adapter, whether it took part in training or not.
     *
     * @throws BadInputException if the run has no such client
     */
    public Path client(String id) throws IOException {
        List<String> ids = clients();
        List<String> unseen = ids(UNSEEN);
        if (!ids.contains(id) && !unseen.contains(id)) {
            String all = Stream.concat(ids.stream(), unseen.stream()).collect(Collectors.joining(", "));
            throw new BadInputException(run + ": no client " + id + "; wanted one of " + all);
        }
        return folder((ids.contains(id) ? CLIENT : UNSEEN) + id);
    }

    /** The recipe that the run followed. */
    public Recipe recipe() {
        return experiment.recipe();
    }

    /**
     * Reads an adapter of the run's model.
     *
     * @param adapter {@link #global}, a {@link #client}'s, or any other in PEFT's format
     * @throws BadInputException if it doesn't fit the model
     */
    public AdapterState read(Path adapter) throws IOException {
        return PeftAdapter.read(adapter, LlamaConfig.read(model().resolve("config.json")));
    }

    /**
     * Writes an adapter as a folder that PEFT loads, with its decomposition beside it.
     *
     * @param adapter {@link #global} or a {@link #client}'s
     * @param target must not exist
     * @param baseModel what {@code adapter_config.json} calls the model: its name on the hub, or a path
     */
    public void export(Path adapter, Path target, String baseModel) throws IOException {
        PeftAdapter.write(read(adapter), recipe().magnitudeAxis(), target, baseModel);
    }

    /** The ids of the clients that have an adapter, sorted. */
    public List<String> clients() throws IOException {
        return ids(CLIENT);
    }

    private List<String> ids(String kind) throws IOException {
        try (Stream<Path> folders = Files.list(run.resolve(RunFolder.ADAPTERS))) {
            return folders.map(folder -> String.valueOf(folder.getFileName()))
                    .filter(name -> name.startsWith(kind))
                    .map(name -> name.substring(kind.length()))
                    .sorted()
                    .toList();
        }
    }

    private Path folder(String name) {
        return run.resolve(RunFolder.ADAPTERS).resolve(name);
    }
}
