package org.fedlora4j.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Engine;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.Fingerprint;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * The clients of a federation as tasks of Spark, one for each client of a phase. The shared parts are broadcast; an executor
 * maps the base model once, reads a client's examples itself, and saves what the client keeps in a folder that all executors
 * share. The driver has the shared parts and the updates of one phase, and neither examples nor private parts.
 *
 * <p>Updates are taken in order of client id, and a task that runs again, because its executor was lost, sends the same, so
 * the result is that of an in-process federation, to the last bit, where all machines have the same kind of CPU.
 */
public final class SparkEngine implements Engine {
    private static final Set<Part> MATRICES = Set.of(Part.A, Part.B);

    private final JavaSparkContext spark;
    private final SortedSet<String> clientIds;
    private final SortedMap<String, String> fingerprint;
    private final Assignment assignment;
    private final Broadcast<Assignment> broadcast;

    /**
     * An engine for one run.
     *
     * @param spark stays the caller's
     * @param model the checkpoint's folder, at the same path on every machine
     * @param use how it is used there
     * @param states the folder of the clients' states, of this run alone, at a path that all executors share
     */
    public SparkEngine(
            JavaSparkContext spark,
            Path model,
            LanguageModel.Settings use,
            Federation.Settings settings,
            ClientSource clients,
            Path states)
            throws IOException {
        if (spark.getConf().getBoolean("spark.speculation", false)) {
            throw new BadInputException("spark.speculation: true, wanted false: two tasks of a client would write its"
                    + " state at the same time");
        }
        settings.recipe().requireFederated();
        this.spark = spark;
        this.clientIds = Collections.unmodifiableSortedSet(new TreeSet<>(clients.clientIds()));
        if (clientIds.isEmpty()) {
            throw new BadInputException("no clients, wanted at least one");
        }
        this.fingerprint = new TreeMap<>(Fingerprint.of(LlamaConfig.read(model.resolve("config.json")), settings));
        fingerprint.put("clients", clientIds.toString());
        this.assignment = new Assignment(
                ModelUse.of(model, use, settings),
                clients,
                states.toAbsolutePath().toString());
        this.broadcast = spark.broadcast(assignment);
    }

    @Override
    public SortedSet<String> clientIds() {
        return clientIds;
    }

    @Override
    public SortedMap<String, String> fingerprint() {
        return Collections.unmodifiableSortedMap(fingerprint);
    }

    /** Tells of all steps and updates when the phase is done. */
    @Override
    public List<SharedUpdate> train(
            RoundContext context, SharedParts shared, SortedSet<String> clients, RunListener listener)
            throws IOException {
        Deque<Answer> answers;
        Broadcast<byte[]> sent = spark.broadcast(Wire.bytes(shared.values(MATRICES)));
        try {
            answers = new ArrayDeque<>(spark.parallelize(List.copyOf(clients), clients.size())
                    .map(new TrainTask(broadcast, sent, context.stage()))
                    .collect());
        } finally {
            sent.destroy();
        }
        PartValues wanted = shared.values(context.phase().share());
        List<SharedUpdate> updates = new ArrayList<>();
        // One by one, so that the updates take the place of the answers' bytes in memory.
        while (!answers.isEmpty()) {
            Answer answer = answers.remove();
            SharedUpdate update = answer.update(context, shared, wanted);
            answer.replay(context, listener);
            listener.updateSent(context, update);
            updates.add(update);
        }
        return updates;
    }

    /** None: they are in the clients' states. */
    @Override
    public SortedMap<String, PartValues> privateParts() {
        return Collections.emptySortedMap();
    }

    /** Does nothing: the clients' states are where they were. */
    @Override
    public void restore(SortedMap<String, PartValues> privateParts) {}

    @Override
    public AdapterState personal(String clientId, SharedParts shared) {
        if (!clientIds.contains(clientId)) {
            throw new IllegalArgumentException("no client is called " + clientId);
        }
        PartValues matrices = shared.values(MATRICES);
        Broadcast<byte[]> sent = spark.broadcast(Wire.bytes(matrices));
        try {
            byte[] own = spark.parallelize(List.of(clientId), 1)
                    .map(new PersonalTask(broadcast, sent))
                    .first();
            return shared.with(Wire.values(own, matrices)).adapter();
        } finally {
            sent.destroy();
        }
    }

    /** Closes the model where the tasks ran in this process; executors close theirs as they end. */
    @Override
    public void close() {
        broadcast.destroy();
        try {
            ExecutorModel.close(assignment.model());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
