package org.fedlora4j.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collections;
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
import org.fedlora4j.federation.Updates;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.config.LlamaConfig;

/**
 * The clients of a federation as tasks of Spark, one for each client of a phase. The shared parts are broadcast; an executor
 * maps the base model once, reads a client's examples itself, and saves what the client keeps in a folder that all executors
 * share. The driver has the shared parts and a few updates at a time, and neither examples nor private parts.
 *
 * <p>Updates are taken in order of client id, and a task that runs again, because its executor was lost, sends the same, so
 * the result is that of an in-process federation, to the last bit, where all machines have the same kind of CPU.
 */
public final class SparkEngine implements Engine {
    private static final Set<Part> MATRICES = Set.of(Part.A, Part.B);

    /** Enough for hundreds of a small model's updates, so that these don't wait for each other's jobs. */
    private static final long BYTES_AT_ONCE = 64 << 20;

    private final JavaSparkContext spark;
    private final SortedSet<String> clientIds;
    private final SortedMap<String, String> fingerprint;
    private final Assignment assignment;
    private final Broadcast<Assignment> broadcast;
    private final long bytesAtOnce;

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
        this(spark, model, use, settings, clients, states, BYTES_AT_ONCE);
    }

    /** @param bytesAtOnce about how many bytes of updates the driver takes at a time */
    SparkEngine(
            JavaSparkContext spark,
            Path model,
            LanguageModel.Settings use,
            Federation.Settings settings,
            ClientSource clients,
            Path states,
            long bytesAtOnce)
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
        this.bytesAtOnce = bytesAtOnce;
    }

    @Override
    public SortedSet<String> clientIds() {
        return clientIds;
    }

    @Override
    public SortedMap<String, String> fingerprint() {
        return Collections.unmodifiableSortedMap(fingerprint);
    }

    /** Tells of steps when the phase is done, and of an update when the server takes it. */
    @Override
    public Updates train(RoundContext context, SharedParts shared, SortedSet<String> clients, RunListener listener) {
        Broadcast<byte[]> sent = spark.broadcast(Wire.bytes(shared.values(MATRICES)));
        SparkUpdates updates = new SparkUpdates(
                context,
                shared,
                listener,
                bytesAtOnce,
                sent,
                spark.parallelize(List.copyOf(clients), clients.size())
                        .map(new TrainTask(broadcast, sent, context.stage())));
        try {
            updates.train();
            return updates;
        } catch (RuntimeException e) {
            updates.close();
            throw e;
        }
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
