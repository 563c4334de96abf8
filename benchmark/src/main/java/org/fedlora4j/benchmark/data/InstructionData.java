package org.fedlora4j.benchmark.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;

/** A data set in any of the forms that are read. */
public final class InstructionData {
    private InstructionData() {}

    /** The records of a data set whose fields have their usual names; the first broken record is an error. */
    public static List<InstructionRecord> read(Path source) throws IOException {
        return read(source, FieldNames.USUAL, problem -> {
            throw problem;
        });
    }

    /**
     * The records of a file, or of all files of a folder by name, which are of one kind. The kind is in the name: a JSON
     * array of records or a task of Natural Instructions ({@code .json}), a table with a header line ({@code .csv},
     * {@code .tsv}), {@code .parquet}, and JSON Lines ({@code .jsonl}, {@code .ndjson}, any other file). In a folder, a
     * {@code .json} is read only if it is named {@code task*.json}, as tasks are, unless there is no such file.
     *
     * @param broken takes records that can't be used, each as a line that names file, place and problem; it may throw it
     * @throws BadInputException if a file can't be read to its end, if there is no sound record, if no record has a field
     *     that was given a name, or if the texts would fill half of Java's memory
     */
    public static List<InstructionRecord> read(Path source, FieldNames fields, Consumer<BadInputException> broken)
            throws IOException {
        RecordIntake intake = new RecordIntake(source, fields, broken);
        for (Path file : files(source)) {
            Format.of(file).read(file, intake);
        }
        return intake.finish();
    }

    private static List<Path> files(Path source) throws IOException {
        if (!Files.isDirectory(source)) {
            InputFiles.require(source, "JSON Lines, JSON, CSV or Parquet");
            return List.of(source);
        }
        List<Path> files;
        try (Stream<Path> listed = Files.list(source)) {
            files = listed.filter(Files::isRegularFile).sorted().toList();
        }
        List<Path> tasks =
                files.stream().filter(InstructionData::isNamedAsATask).toList();
        if (!tasks.isEmpty()) {
            return tasks;
        }
        List<Path> data = files.stream().filter(Format::isNamed).toList();
        Set<Format> formats = data.stream().map(Format::of).collect(Collectors.toCollection(TreeSet::new));
        if (formats.size() != 1) {
            throw new BadInputException(source + ": holds "
                    + (formats.isEmpty() ? "no data" : "files of " + formats)
                    + ", wanted tasks of Natural Instructions (task*.json) or files of one of "
                    + List.of(Format.values()));
        }
        return data;
    }

    private static boolean isNamedAsATask(Path file) {
        return file.getFileName().toString().matches("task.*\\.json");
    }

    private enum Format {
        JSON_LINES("jsonl|ndjson"),
        JSON("json"),
        CSV("csv"),
        TSV("tsv"),
        PARQUET("parquet");

        private final String endings;

        Format(String endings) {
            this.endings = endings;
        }

        static Format of(Path file) {
            return Stream.of(values())
                    .filter(format -> format.names(file))
                    .findFirst()
                    .orElse(JSON_LINES);
        }

        static boolean isNamed(Path file) {
            return Stream.of(values()).anyMatch(format -> format.names(file));
        }

        private boolean names(Path file) {
            return file.getFileName().toString().matches("(?i).+\\.(" + endings + ")");
        }

        /** Gives the intake every record of a file, in order. */
        void read(Path file, RecordIntake intake) throws IOException {
            switch (this) {
                case JSON_LINES -> JsonLines.read(file, intake);
                case JSON -> JsonDocument.read(file, intake);
                case CSV -> Csv.read(file, ',', intake);
                case TSV -> Csv.read(file, '\t', intake);
                case PARQUET -> ParquetFile.read(file, intake);
            }
        }
    }
}
