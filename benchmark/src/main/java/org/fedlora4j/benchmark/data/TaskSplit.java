package org.fedlora4j.benchmark.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.InputFiles;

/**
 * Which tasks of Natural Instructions are trained on and which are kept for tests, as the public release lists them
 * (github.com/allenai/natural-instructions): a folder such as {@code splits/default} with {@code train_tasks.txt} and
 * {@code test_tasks.txt}, a task's name a line. Its {@code excluded_tasks.txt} and other lists are not read: what is in
 * neither of the two is left out.
 *
 * @param name of the split, or its folder
 * @param train names of tasks, at least one
 * @param test names of tasks, none of them in {@code train}
 */
public record TaskSplit(String name, SortedSet<String> train, SortedSet<String> test) {
    /**
     * The files of the tasks that a split lists.
     *
     * @param missing how many listed tasks have no file
     * @param leftOut how many files are of tasks that aren't listed
     */
    public record Selection(List<Path> train, List<Path> test, int missing, int leftOut) {}

    /**
     * Reads a split.
     *
     * @param source the release's folder, or its folder {@code tasks}
     * @param split the name of a folder beside {@code splits/default}, or the path of another folder, with a slash
     * @throws BadInputException if there is no such split, or its lists aren't as they should be
     */
    public static TaskSplit read(Path source, String split) throws IOException {
        Path folder = split.contains("/")
                ? Path.of(split)
                : release(source).resolve("splits").resolve(split);
        if (!Files.isDirectory(folder)) {
            throw new BadInputException("data.split: " + split + ": no folder " + folder
                    + ", wanted one with train_tasks.txt and test_tasks.txt" + beside(folder));
        }
        Path trainFile = folder.resolve("train_tasks.txt");
        Path testFile = folder.resolve("test_tasks.txt");
        SortedSet<String> train = names(trainFile);
        SortedSet<String> test = names(testFile);
        if (train.isEmpty()) {
            throw new BadInputException(trainFile + ": lists no task, wanted at least one");
        }
        for (String task : test) {
            if (train.contains(task)) {
                throw new BadInputException(
                        testFile + ": lists " + task + ", which " + trainFile.getFileName() + " lists too");
            }
        }
        return new TaskSplit(split, train, test);
    }

    /**
     * Picks the listed tasks.
     *
     * @param tasks files that are called after their tasks
     * @throws BadInputException if none of them is to be trained on
     */
    public Selection select(List<Path> tasks) {
        List<Path> trained =
                tasks.stream().filter(file -> train.contains(name(file))).toList();
        List<Path> tested =
                tasks.stream().filter(file -> test.contains(name(file))).toList();
        if (trained.isEmpty()) {
            throw new BadInputException("data.split: " + name + ": none of its " + train.size()
                    + " training tasks is among the " + tasks.size() + " that are here, wanted at least one");
        }
        int found = trained.size() + tested.size();
        return new Selection(trained, tested, train.size() + test.size() - found, tasks.size() - found);
    }

    /** The task that a file is called after. */
    public static String name(Path file) {
        return file.getFileName().toString().replaceAll("\\.json$", "");
    }

    /** The folder that holds {@code tasks} and {@code splits}. */
    private static Path release(Path source) {
        Path absolute = source.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        return Files.isDirectory(absolute.resolve("splits")) || parent == null ? source : parent;
    }

    private static String beside(Path folder) throws IOException {
        Path parent = folder.getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            return "";
        }
        try (Stream<Path> folders = Files.list(parent)) {
            return "; " + parent + " has "
                    + folders.filter(Files::isDirectory)
                            .map(each -> each.getFileName().toString())
                            .sorted()
                            .toList();
        }
    }

    private static SortedSet<String> names(Path file) throws IOException {
        InputFiles.require(file, "a list of tasks, a name a line");
        SortedSet<String> names = new TreeSet<>();
        int number = 0;
        for (String line : lines(file)) {
            number++;
            String name = line.strip();
            if (name.matches(".*\\s.*|.*\\.json")) {
                throw new BadInputException(file + " line " + number + ": " + RecordIntake.shown(name)
                        + ", wanted a task's name, without .json");
            }
            if (!name.isEmpty()) {
                names.add(name);
            }
        }
        return names;
    }

    private static List<String> lines(Path file) throws IOException {
        try (InputStream in = Utf8.open(file)) {
            byte[] bytes = in.readNBytes(RecordIntake.MAX_RECORD_BYTES + 1);
            if (bytes.length > RecordIntake.MAX_RECORD_BYTES) {
                throw new BadInputException(file + ": longer than " + RecordIntake.MAX_RECORD_BYTES
                        + " bytes, wanted a list of tasks, a name a line");
            }
            return Utf8.decode(file.toString(), ByteBuffer.wrap(bytes)).lines().toList();
        }
    }
}
