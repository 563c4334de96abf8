package org.fedlora4j.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.jspecify.annotations.Nullable;

/**
 * Downloads models from the Hugging Face hub: into the cache of its own client, which recognises them, or into a plain
 * folder. What is there already is not fetched again, and an interrupted download goes on where it ended. Sizes and
 * hashes are checked against the hub's list of files.
 */
public final class HubDownloader {
    private final HubSettings settings;
    private final Tuning tuning;
    private final Progress progress;

    /**
     * Prepares downloads; nothing is asked of the hub yet.
     *
     * @param connections requests at the same time, 1 to 64
     */
    public HubDownloader(HubSettings settings, int connections, Progress progress) {
        this(settings, Tuning.of(connections), progress);
    }

    HubDownloader(HubSettings settings, Tuning tuning, Progress progress) {
        this.settings = settings;
        this.tuning = tuning;
        this.progress = progress;
    }

    /**
     * Downloads a checkpoint, or chosen files.
     *
     * @param names paths inside the repository; none for the files that make up a checkpoint: configuration, tokenizer,
     *     and the weights once, of safetensors or else of {@code pytorch_model.bin}; of a PEFT adapter, the adapter
     * @param target a folder, which is made where there is none, or null for the cache
     * @return the folder that holds the files under their names in the repository
     * @throws BadInputException if the repository, revision or a file isn't there or is refused, if what the hub sends
     *     is not what it lists, if it does not fit on the disk, or if offline and the cache lacks something
     * @throws DownloadFailedException if the network or the hub goes on failing
     */
    public Path download(ModelRevision model, List<String> names, @Nullable Path target) throws IOException {
        HubCache cache = new HubCache(settings.cache(), model);
        return settings.offline() ? fromCache(model, cache, names, target) : fromHub(model, cache, names, target);
    }

    private Path fromHub(ModelRevision model, HubCache cache, List<String> names, @Nullable Path target)
            throws IOException {
        HubConnection connection = new HubConnection(settings, tuning.silenceLimit());
        HubApi api = new HubApi(connection, tuning.firstPause(), model, progress);
        String commit = api.commit();
        Map<String, HubFile> listing = api.files(commit);
        Destination destination = target == null ? cache.destination(commit) : new PlainFolder(target);
        Fetch fetch = new Fetch(api, commit, cache, destination);
        try (FolderLock lock = FolderLock.acquire(destination.lock(), progress)) {
            Set<String> wanted = new TreeSet<>(names);
            if (names.isEmpty()) {
                CheckpointFiles checkpoint = CheckpointFiles.of(model, listing.keySet());
                wanted.addAll(checkpoint.names());
                if (checkpoint.index() != null) {
                    fetch.run(choose(model, listing, Set.of(checkpoint.index())), Progress.none());
                    Path index = destination.folder().resolve(checkpoint.index());
                    wanted.addAll(CheckpointFiles.shards(model, index, listing.keySet()));
                }
            }
            fetch.run(choose(model, listing, wanted), progress);
            destination.finish();
        }
        return destination.folder();
    }

    private static List<HubFile> choose(ModelRevision model, Map<String, HubFile> listing, Collection<String> names) {
        List<HubFile> chosen = new ArrayList<>();
        for (String name : names) {
            HubFile file = listing.get(name);
            if (file == null) {
                throw new BadInputException(
                        model + ": no file " + RepositoryPath.printable(name) + " at revision " + model.revision());
            }
            chosen.add(file);
        }
        return chosen;
    }

    private Path fromCache(ModelRevision model, HubCache cache, List<String> names, @Nullable Path target)
            throws IOException {
        String commit = cache.commit();
        if (commit == null || !Files.isDirectory(cache.snapshot(commit))) {
            throw new BadInputException(model + ": HF_HUB_OFFLINE is set, and the cache " + settings.cache()
                    + " lacks revision " + model.revision());
        }
        Path snapshot = cache.snapshot(commit);
        Set<String> available = filesIn(snapshot);
        Set<String> wanted = new TreeSet<>(names);
        if (names.isEmpty()) {
            CheckpointFiles checkpoint = CheckpointFiles.of(model, available);
            wanted.addAll(checkpoint.names());
            if (checkpoint.index() != null) {
                wanted.addAll(CheckpointFiles.shards(model, snapshot.resolve(checkpoint.index()), available));
            }
        }
        for (String name : wanted) {
            if (!available.contains(name)) {
                throw new BadInputException(
                        model + ": HF_HUB_OFFLINE is set, and the cache lacks " + RepositoryPath.printable(name));
            }
            if (target != null) {
                Path from = snapshot.resolve(name);
                Path to = RepositoryPath.resolve(target, name);
                if (!Files.isRegularFile(to) || Files.mismatch(from, to) >= 0) {
                    AtomicFiles.writeFile(to, copy -> Files.copy(from, copy));
                }
            }
        }
        return target == null ? snapshot : target;
    }

    private static Set<String> filesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file).toString().replace('\\', '/'))
                    .collect(Collectors.toSet());
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** Brings files of one commit to one destination. */
    private final class Fetch {
        private final HubApi api;
        private final String commit;
        private final HubCache cache;
        private final Destination destination;

        Fetch(HubApi api, String commit, HubCache cache, Destination destination) {
            this.api = api;
            this.commit = commit;
            this.cache = cache;
            this.destination = destination;
        }

        /** Fetches those of the files that are not there. */
        void run(List<HubFile> files, Progress shown) throws IOException {
            List<HubFile> missing = new ArrayList<>();
            for (HubFile file : files) {
                if (!destination.has(file)) {
                    missing.add(file);
                }
            }
            if (missing.isEmpty()) {
                return;
            }
            Map<PartialFile, List<HubFile>> contents = contents(missing);
            checkSpace(contents);
            Transfers transfers = new Transfers(api, commit, destination, tuning, shown);
            for (Map.Entry<PartialFile, List<HubFile>> content : contents.entrySet()) {
                Path cached = cache.find(commit, content.getValue().get(0));
                if (cached != null) {
                    content.getKey().copy(cached); // its hash is checked like that of any other
                }
                transfers.add(content.getValue(), content.getKey());
            }
            transfers.run();
        }

        /** Files of the same content are fetched once. */
        private Map<PartialFile, List<HubFile>> contents(List<HubFile> missing) throws IOException {
            Map<String, List<HubFile>> byEtag = missing.stream()
                    .collect(Collectors.groupingBy(HubFile::etag, LinkedHashMap::new, Collectors.toList()));
            Map<PartialFile, List<HubFile>> contents = new LinkedHashMap<>();
            for (List<HubFile> files : byEtag.values()) {
                HubFile first = files.get(0);
                for (HubFile file : files) {
                    if (file.size() != first.size()) {
                        throw new BadInputException(api.model() + ": the hub lists one hash with two sizes: "
                                + first.path() + " and " + file.path());
                    }
                }
                contents.put(new PartialFile(destination.partials(), first), files);
            }
            return contents;
        }

        private void checkSpace(Map<PartialFile, List<HubFile>> contents) throws IOException {
            long wanted = 0;
            try {
                for (Map.Entry<PartialFile, List<HubFile>> content : contents.entrySet()) {
                    long size = content.getValue().get(0).size();
                    wanted = Math.addExact(wanted, size - content.getKey().bytesDone());
                }
            } catch (ArithmeticException e) {
                wanted = Long.MAX_VALUE;
            }
            Files.createDirectories(destination.partials());
            long usable = Files.getFileStore(destination.partials()).getUsableSpace();
            if (wanted > usable) {
                throw new BadInputException(api.model() + ": " + Progress.bytes((double) wanted)
                        + " are still to be fetched, and " + destination.folder() + " has room for "
                        + Progress.bytes((double) usable));
            }
        }
    }
}
