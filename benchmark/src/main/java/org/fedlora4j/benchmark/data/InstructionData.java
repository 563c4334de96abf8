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
     * {@code .json} is read only if it is named {@code task*.json}, as tasks are, unless there is no such file. In the
     * folder of Natural Instructions' public release, that is the folder {@code tasks} in it.
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

    /**
     * The tasks of Natural Instructions that a folder holds, each of which can be read by itself.
     *
     * @return by name; empty if the data set is another
     * @throws BadInputException if a file that is called a task isn't JSON
     */
    public static List<Path> tasks(Path source) throws IOException {
        List<Path> tasks = Files.isDirectory(source) ? namedAsTasks(source) : List.of();
        for (Path task : tasks) {
            if (!JsonDocument.isTask(task)) {
                return List.of();
            }
        }
        return tasks;
    }

    private static List<Path> files(Path source) throws IOException {
        if (!Files.isDirectory(source)) {
            InputFiles.require(source, "JSON Lines, JSON, CSV or Parquet");
            return List.of(source);
        }
        List<Path> tasks = namedAsTasks(source);
        if (!tasks.isEmpty()) {
            return tasks;
        }
        List<Path> files = list(source);
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

    /** In the folder or, if there are none, in the folder {@code tasks} in it. */
    private static List<Path> namedAsTasks(Path folder) throws IOException {
        List<Path> tasks =
                list(folder).stream().filter(InstructionData::isNamedAsATask).toList();
        Path inner = folder.resolve("tasks");
        return tasks.isEmpty() && Files.isDirectory(inner)
                ? list(inner).stream().filter(InstructionData::isNamedAsATask).toList()
                : tasks;
    }

    /** The files of a folder, by name. */
    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> listed = Files.list(folder)) {
            return listed.filter(Files::isRegularFile).sorted().toList();
        }
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
