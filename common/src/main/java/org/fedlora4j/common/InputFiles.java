package org.fedlora4j.common;

import java.nio.file.Files;
import java.nio.file.Path;

/** Files that the user names. */
public final class InputFiles {
    private InputFiles() {}

    /**
     * Refuses what is no file.
     *
     * @param wanted for the message, such as {@code a safetensors file}
     * @throws BadInputException if there is nothing of that name, or a folder
     */
    public static void require(Path file, String wanted) {
        if (!Files.exists(file)) {
            throw new BadInputException(file + ": no such file; wanted " + wanted);
        }
        if (Files.isDirectory(file)) {
            throw new BadInputException(file + ": a folder; wanted " + wanted);
        }
    }
}
