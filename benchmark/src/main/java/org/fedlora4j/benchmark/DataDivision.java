package org.fedlora4j.benchmark;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.fedlora4j.benchmark.data.InstructionData;
import org.fedlora4j.benchmark.data.InstructionRecord;
import org.fedlora4j.benchmark.data.TaskSplit;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.common.Progress;
import org.fedlora4j.federation.data.CategoryPartitioner;
import org.fedlora4j.federation.data.ClientShard;
import org.fedlora4j.federation.data.PartitionTable;
import org.fedlora4j.tokenizer.InstructionEncoder;
import org.fedlora4j.tokenizer.PromptTemplate;
import org.fedlora4j.tokenizer.Tokenizer;
import org.jspecify.annotations.Nullable;

/**
 * Reads an experiment's data, divides it among clients, encodes what they draw, and shows and counts all of it. Tasks of
 * Natural Instructions that are a client each are read one after the other, so that memory holds a single one.
 */
final class DataDivision {
    /** Of clients with too few records, in one message. */
    private static final int SHOWN = 5;

    private final Experiment.Data settings;
    private final long seed;
    private final Progress progress;
    private final SkippedRecords skipped;
    private final InstructionEncoder encoder;

    DataDivision(Experiment experiment, Tokenizer tokenizer, Progress progress) {
        this.settings = experiment.data();
        this.seed = experiment.seed();
        this.progress = progress;
        this.skipped = new SkippedRecords(progress);
        this.encoder =
                new InstructionEncoder(tokenizer, PromptTemplate.named(settings.template()), settings.maxTokens());
    }

    /** Reads one client's records. */
    @FunctionalInterface
    private interface Source {
        List<InstructionRecord> read() throws IOException;
    }

    /**
     * Divides the data.
     *
     * @throws BadInputException if it can't be read or divided so, or if clients have too few records
     */
    ExperimentData divide() throws IOException {
        boolean byTask = settings.partitioner() instanceof CategoryPartitioner;
        List<Path> tasks = byTask ? InstructionData.tasks(settings.source()) : List.of();
        if (!settings.split().equals(Experiment.Data.NO_SPLIT)) {
            return divideSplit(tasks);
        }
        SortedMap<String, Source> sources = tasks.isEmpty() ? parts() : tasks(tasks);
        return encode(sources, settings.unseenClients().of(sources.keySet(), seed), null);
    }

    /** A client for each task of a split; those that are to be tested on take no part in training. */
    private ExperimentData divideSplit(List<Path> tasks) throws IOException {
        if (tasks.isEmpty()) {
            throw new BadInputException("data.split: " + settings.split() + ", but " + settings.source()
                    + " holds no tasks of Natural Instructions, wanted its release or the folder tasks of it");
        }
        TaskSplit.Selection selection =
                TaskSplit.read(settings.source(), settings.split()).select(tasks);
        DataCounts.Split counts = DataCounts.Split.of(selection);
        progress.line(
                "split %s: %d tasks to train on and %d to test on; %d listed tasks are missing, %d tasks are not listed and left out"
                        .formatted(
                                settings.split(), counts.train(), counts.test(), counts.missing(), counts.leftOut()));
        SortedMap<String, Source> sources = tasks(Stream.concat(selection.train().stream(), selection.test().stream())
                .toList());
        SortedSet<String> unseen = new TreeSet<>(sources.keySet());
        unseen.removeAll(tasks(selection.train()).keySet());
        return encode(sources, unseen, counts);
    }

    /** The parts of a data set that is read whole. */
    private SortedMap<String, Source> parts() throws IOException {
        List<InstructionRecord> records = read(settings.source());
        List<String> categories =
                records.stream().map(InstructionRecord::category).toList();
        SortedMap<String, Source> sources = new TreeMap<>();
        for (ClientShard shard : settings.partitioner().partition(categories, seed)) {
            sources.put(
                    shard.clientId(),
                    () -> Arrays.stream(shard.indices()).mapToObj(records::get).toList());
        }
        return sources;
    }

    /** A client for each task. */
    private SortedMap<String, Source> tasks(List<Path> tasks) {
        List<String> names = tasks.stream().map(TaskSplit::name).toList();
        SortedMap<String, Source> sources = new TreeMap<>();
        for (ClientShard shard : settings.partitioner().partition(names, seed)) {
            sources.put(shard.clientId(), () -> read(tasks.get(shard.indices()[0])));
        }
        return sources;
    }

    private List<InstructionRecord> read(Path source) throws IOException {
        return InstructionData.read(source, settings.fields(), problem -> {
            if (!settings.skipBadRecords()) {
                throw problem;
            }
            skipped.accept(problem);
        });
    }

    private ExperimentData encode(
            SortedMap<String, Source> sources, SortedSet<String> unseenIds, DataCounts.@Nullable Split split)
            throws IOException {
        SortedMap<String, SortedMap<String, Integer>> partition = new TreeMap<>();
        SortedMap<String, DataCounts.Client> counts = new TreeMap<>();
        List<ClientRecords> clients = new ArrayList<>();
        List<ClientRecords> unseen = new ArrayList<>();
        List<String> tooFew = new ArrayList<>();
        for (Map.Entry<String, Source> source : sources.entrySet()) {
            String id = source.getKey();
            progress.status("reading the records of client " + id + ", " + partition.size() + " of " + sources.size());
            List<InstructionRecord> records = source.getValue().read();
            partition.put(
                    id,
                    records.stream()
                            .collect(Collectors.groupingBy(
                                    InstructionRecord::category, TreeMap::new, Collectors.summingInt(record -> 1))));
            try {
                ClientRecords client = ClientRecords.of(id, records, encoder, settings, seed);
                counts.put(id, client.counts());
                (unseenIds.contains(id) ? unseen : clients).add(client);
                progress.line(client.summary(settings.maxTokens()));
            } catch (BadInputException e) {
                tooFew.add(String.valueOf(e.getMessage()));
            }
        }
        skipped.showCount();
        PartitionTable.text(partition).lines().forEach(progress::line);
        if (!unseenIds.isEmpty()) {
            progress.line("not in training: " + String.join(", ", unseenIds));
        }
        requireEnough(tooFew);
        return new ExperimentData(clients, unseen, DataCounts.of(counts, split), partition, skipped.count());
    }

    private static void requireEnough(List<String> tooFew) {
        if (!tooFew.isEmpty()) {
            String more = tooFew.size() > SHOWN ? "; and " + (tooFew.size() - SHOWN) + " more clients" : "";
            throw new BadInputException(String.join("; ", tooFew.subList(0, Math.min(SHOWN, tooFew.size()))) + more);
        }
    }
}
