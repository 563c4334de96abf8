package org.fedlora4j.model.weights;

import java.nio.file.Files;
import java.nio.file.Path;

/** The reference files beside the repository. */
final class Golden {
    private Golden() {}

    static Path path(String name) {
        Path path = Path.of(System.getProperty("fedlora.golden"), name);
        if (!Files.exists(path)) {
            throw new AssertionError(path + " is missing");
        }
        return path;
    }
}
