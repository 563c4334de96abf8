package org.fedlora4j.benchmark.speed.report;

import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.Environment;
import org.fedlora4j.benchmark.speed.Arguments;
import org.fedlora4j.benchmark.speed.Measurement;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;

/**
 * One command's measuring: programs in turn, each in a fresh process. Every measurement is saved at once; the tables
 * follow at the end.
 */
final class Session {
    /** Of every command. {@code out} is the folder of results, {@code update-docs} has them shown in the documents too. */
    private static final Set<String> OPTIONS = Set.of("threads", "warm-up", "out", "update-docs");

    private static final Duration LONGEST_RUN = Duration.ofMinutes(30);
    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final String name;
    private final MarkedBlock block;
    private final String arguments;
    private final Machine machine = Machine.here();
    private final int threads;
    private final Path folder;
    private final boolean updateDocs;
    private final Progress progress = Progress.onStderr();
    private final Runs runs = new Runs();
    private final Map<String, String> declined = new LinkedHashMap<>();
    private int begunBusy;

    /** What is saved of a session beside its table. */
    private record Saved(
            String command,
            String arguments,
            Environment environment,
            List<String> cpuFlags,
            int threads,
            SortedMap<String, String> peers,
            List<Runs.Run> runs) {}

    /**
     * Begins.
     *
     * @param name the command's, for its files
     * @param block the place of a document that shows the report
     * @throws BadInputException if the document is to be updated and has no such place
     */
    Session(String name, MarkedBlock block, Arguments arguments) throws IOException {
        this.name = name;
        this.block = block;
        this.arguments = arguments.toString();
        this.threads = arguments.number("threads", 2);
        this.folder = Path.of(
                arguments.text("out", root().resolve("benchmark/results").toString()));
        this.updateDocs = arguments.has("update-docs");
        if (updateDocs) {
            block.requireThere();
        }
    }

    /** A command's options with those of every command. */
    static Set<String> options(String... own) {
        return Stream.concat(OPTIONS.stream(), Stream.of(own)).collect(Collectors.toSet());
    }

    /** The folder of this repository. */
    static Path root() {
        return Path.of(System.getProperty("fedlora.root", "."));
    }

    Runs runs() {
        return runs;
    }

    /** Says something to the user. */
    void say(String line) {
        progress.line(line);
    }

    /**
     * Runs every command as often as there are turns. What is compared at a point runs one after the other, and in every
     * second turn in reverse order, so that a machine that grows slower favours nobody.
     *
     * @param commands by subject, by point
     */
    void inTurn(int turns, Map<String, Map<String, Command>> commands) throws IOException {
        for (int turn = 1; turn <= turns; turn++) {
            for (Map.Entry<String, Map<String, Command>> point : commands.entrySet()) {
                List<Map.Entry<String, Command>> subjects =
                        new ArrayList<>(point.getValue().entrySet());
                if (turn % 2 == 0) {
                    Collections.reverse(subjects);
                }
                for (Map.Entry<String, Command> subject : subjects) {
                    measure(point.getKey(), subject.getKey(), turn, subject.getValue());
                }
            }
        }
    }

    /** Runs one command, and saves what it measured. If it declines, the user is told, here and under the report. */
    void measure(String point, String subject, int turn, Command command) throws IOException {
        boolean quiet = OtherLoad.awaitQuiet();
        Measurement measurement;
        try {
            measurement = command.run(threads, LONGEST_RUN);
        } catch (Command.Declined e) {
            declined.put(point + ", " + subject, e.getMessage());
            say(point + ", turn " + turn + ": left out, " + e.getMessage() + "   " + subject);
            return;
        }
        begunBusy += quiet ? 0 : 1;
        say("%s, turn %d: %s ms, %s MB   %s%s"
                .formatted(
                        point,
                        turn,
                        Table.number(measurement.medianMillis()),
                        Table.megabytes((double) measurement.peakBytes()),
                        subject,
                        quiet ? "" : " (begun on a busy machine)"));
        runs.add(new Runs.Run(point, subject, turn, measurement));
        Saved saved = new Saved(
                name,
                arguments,
                machine.environment(),
                machine.cpu().matmulFlags(),
                threads,
                runs.versions(),
                runs.all());
        AtomicFiles.writeString(file(".json"), MAPPER.writeValueAsString(saved) + "\n");
    }

    /** Prints and saves the report, and shows it in the document if that was asked for. */
    void finish(String markdown) throws IOException {
        String leftOut = declined.entrySet().stream()
                .map(entry -> " Left out: " + entry.getKey() + ", for it " + entry.getValue() + ".")
                .collect(Collectors.joining());
        String report = markdown + "\n" + machine.describe(threads, runs.versions()) + "." + leftOut
                + (begunBusy == 0
                        ? ""
                        : " Of %d measurements, %d began while other processes computed."
                                .formatted(runs.all().size(), begunBusy))
                + "\n";
        System.out.print(report);
        AtomicFiles.writeString(file(".md"), report);
        if (updateDocs) {
            block.fill(report);
        }
    }

    /** Where pictures go: where the documents show them from, or beside the results. */
    Path pictures() {
        return updateDocs ? root().resolve("docs/images/performance") : folder;
    }

    private Path file(String suffix) {
        return folder.resolve(name + "-" + machine.slug() + suffix);
    }
}
