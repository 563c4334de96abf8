package org.fedlora4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.Progress;
import org.fedlora4j.converter.CheckpointConverter;

/**
 * A model in a folder that can be mapped into memory: the user's own, or what was converted from it into a temporary
 * folder, which goes when this is closed.
 */
record ReadableModel(Path folder, Optional<Path> temporary) implements AutoCloseable {
    static ReadableModel of(Path source, Progress progress) throws IOException {
        if (holdsSafetensors(source) || !Files.exists(source)) {
            return new ReadableModel(source, Optional.empty());
        }
        Path parent = Files.createTempDirectory("fedlora");
        try {
            Path folder = parent.resolve("model");
            CheckpointConverter.convert(source, folder, CheckpointConverter.Options.DEFAULT, progress);
            return new ReadableModel(folder, Optional.of(parent));
        } catch (IOException | RuntimeException e) {
            AtomicFiles.deleteRecursively(parent);
            throw e;
        }
    }

    private static boolean holdsSafetensors(Path source) {
        return Files.exists(source.resolve("model.safetensors"))
                || Files.exists(source.resolve("model.safetensors.index.json"));
    }

    @Override
    public void close() throws IOException {
        if (temporary.isPresent()) {
            AtomicFiles.deleteRecursively(temporary.get());
        }
    }
}
