package org.fedlora4j.federation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.fedlora4j.common.AtomicFiles;

/** Folders in a folder, each named by a six-digit number, which appear whole or not at all; the latest are kept. */
final class NumberedFolders {
    private static final Pattern NAME = Pattern.compile("[0-9]{6}");
    private static final Pattern HALF_WRITTEN = Pattern.compile("\\.[0-9]{6}\\.[0-9]+\\.tmp");

    private final Path folder;
    private final int kept;

    /**
     * @param folder need not exist yet
     * @param kept how many, at least 1
     */
    NumberedFolders(Path folder, int kept) {
        this.folder = folder;
        this.kept = kept;
    }

    Path path() {
        return folder;
    }

    /** Writes one, in place of that of the same number, and deletes the oldest and what was half written. */
    void save(int number, AtomicFiles.Writer writer) throws IOException {
        Path target = folder.resolve(String.format(Locale.ROOT, "%06d", number));
        AtomicFiles.deleteRecursively(target);
        AtomicFiles.writeFolder(target, writer);
        for (Path old : all().descendingMap().values().stream().skip(kept).toList()) {
            AtomicFiles.deleteRecursively(old);
        }
        for (Path halfWritten : entries(HALF_WRITTEN)) {
            AtomicFiles.deleteRecursively(halfWritten);
        }
    }

    /** Deletes those of greater numbers. */
    void deleteAfter(int number) throws IOException {
        for (Path later : all().tailMap(number, false).values()) {
            AtomicFiles.deleteRecursively(later);
        }
    }

    /** By number. */
    NavigableMap<Integer, Path> all() throws IOException {
        NavigableMap<Integer, Path> all = new TreeMap<>();
        for (Path path : entries(NAME)) {
            all.put(Integer.parseInt(path.getFileName().toString()), path);
        }
        return all;
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
