package org.fedlora4j.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.UUID;
import org.fedlora4j.common.AtomicFiles;
import org.jspecify.annotations.Nullable;

/**
 * A repository in the hub client's cache (huggingface_hub's file_download.py):
 *
 * <pre>
 * models--org--name/blobs/ETAG                    content
 *                   snapshots/COMMIT/config.json  relative link to a blob
 *                   refs/main                     the commit of a revision
 * .locks/models--org--name/
 * CACHEDIR.TAG
 * </pre>
 */
final class HubCache {
    /** As bford.info/cachedir wants it; programs that make backups leave such folders out. */
    private static final String CACHE_TAG =
            "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by fedlora4j.\n";

    private final Path cache;
    private final Path repository;
    private final Path locks;
    private final ModelRevision model;

    HubCache(Path cache, ModelRevision model) {
        this.cache = cache.toAbsolutePath().normalize();
        this.model = model;
        repository = this.cache.resolve(model.cacheFolder());
        locks = this.cache.resolve(".locks").resolve(model.cacheFolder());
    }

    /** The commit that the revision stood for when it was last downloaded, or null. */
    @Nullable
    String commit() throws IOException {
        if (model.isCommit()) {
            return model.revision();
        }
        Path ref = ref();
        if (!Files.isRegularFile(ref)) {
            return null;
        }
        String commit = Files.readString(ref, StandardCharsets.ISO_8859_1).strip();
        return ModelRevision.isCommit(commit) ? commit : null;
    }

    /** A file's content wherever the cache has it, or null. */
    @Nullable
    Path find(String commit, HubFile file) throws IOException {
        for (Path path : List.of(RepositoryPath.resolve(snapshot(commit), file.path()), blob(file))) {
            if (file.hasSizeOf(path)) {
                return path;
            }
        }
        return null;
    }

    /** The folder of a commit's files. */
    Path snapshot(String commit) {
        return repository.resolve("snapshots").resolve(commit);
    }

    /** The cache as the place to download a commit to. */
    Destination destination(String commit) {
        return new Snapshot(commit);
    }

    private Path blob(HubFile file) {
        return repository.resolve("blobs").resolve(file.etag());
    }

    private Path ref() {
        return RepositoryPath.resolve(repository.resolve("refs"), model.revision());
    }

    private final class Snapshot implements Destination {
        private final String commit;

        Snapshot(String commit) {
            this.commit = commit;
        }

        @Override
        public Path folder() {
            return snapshot(commit);
        }

        @Override
        public Path partials() {
            return repository.resolve("blobs");
        }

        @Override
        public Path lock() {
            return locks.resolve("fedlora.lock");
        }

        /** Where only the blob is there, as another revision's file, it is linked. */
        @Override
        public boolean has(HubFile file) throws IOException {
            Path pointer = RepositoryPath.resolve(folder(), file.path());
            if (file.hasSizeOf(pointer)) {
                return true;
            }
            if (!file.hasSizeOf(blob(file))) {
                return false;
            }
            link(pointer, blob(file));
            return true;
        }

        @Override
        public void add(List<HubFile> files, Path complete) throws IOException {
            Path blob = blob(files.get(0));
            Files.move(complete, blob, StandardCopyOption.REPLACE_EXISTING);
            for (HubFile file : files) {
                link(RepositoryPath.resolve(folder(), file.path()), blob);
            }
        }

        /** The revision's commit is written last: until then, offline users keep the snapshot that they have. */
        @Override
        public void finish() throws IOException {
            if (!commit.equals(commit())) {
                AtomicFiles.writeString(ref(), commit);
            }
            Path tag = cache.resolve("CACHEDIR.TAG");
            if (!Files.exists(tag) && Files.isWritable(cache)) {
                AtomicFiles.writeString(tag, CACHE_TAG);
            }
        }

        private void link(Path pointer, Path blob) throws IOException {
            Path folder = pointer.resolveSibling("");
            Files.createDirectories(folder);
            Path temporary = pointer.resolveSibling("." + UUID.randomUUID() + ".tmp");
            try {
                Files.createSymbolicLink(temporary, folder.relativize(blob));
                Files.move(temporary, pointer, StandardCopyOption.ATOMIC_MOVE);
            } catch (UnsupportedOperationException | FileSystemException e) {
                // Windows without the right to make links: its own client has the file itself there, and no blob.
                Files.deleteIfExists(temporary);
                Files.move(blob, pointer, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }
}
