package org.fedlora4j.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;

/** A folder with the files and nothing else. One of another content is replaced, as by the hub's own client. */
final class PlainFolder implements Destination {
    private final Path folder;
    private final Path partials;

    PlainFolder(Path folder) {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new BadInputException(folder + ": is a file, wanted a folder");
        }
        this.folder = folder;
        partials = folder.resolve(".fedlora-download");
    }

    @Override
    public Path folder() {
        return folder;
    }

    @Override
    public Path partials() {
        return partials;
    }

    @Override
    public Path lock() {
        return partials.resolve("lock");
    }

    /** By size and hash: people edit the files of such folders. */
    @Override
    public boolean has(HubFile file) throws IOException {
        Path target = RepositoryPath.resolve(folder, file.path());
        return file.hasSizeOf(target) && file.hashOf(target).equals(file.etag());
    }

    @Override
    public void add(List<HubFile> files, Path complete) throws IOException {
        for (HubFile copy : files.subList(1, files.size())) {
            AtomicFiles.writeFile(RepositoryPath.resolve(folder, copy.path()), target -> Files.copy(complete, target));
        }
        Path target = RepositoryPath.resolve(folder, files.get(0).path());
        Files.createDirectories(target.resolveSibling(""));
        Files.move(complete, target, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Deletes the lock too; who waits for it makes another. */
    @Override
    public void finish() throws IOException {
        AtomicFiles.deleteRecursively(partials);
    }
}
