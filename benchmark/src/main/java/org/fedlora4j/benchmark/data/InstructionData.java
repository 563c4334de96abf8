package org.fedlora4j.benchmark.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A data set in any of the forms that are read. */
public final class InstructionData {
    private InstructionData() {}

    /**
     * The records of a folder of Natural Instructions' tasks, of one such task ({@code .json}), or of JSON Lines (any
     * other file).
     */
    public static List<InstructionRecord> read(Path source) throws IOException {
        boolean tasks = Files.isDirectory(source) || source.toString().endsWith(".json");
        return tasks ? NaturalInstructions.read(source) : JsonLines.read(source);
    }
}
