package org.fedlora4j.spark;

import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.storage.StorageLevel;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.Updates;

/**
 * The updates of a phase. All clients train at once, as far as there are executors, which keep the updates on their disks;
 * then the driver takes them in order of client id, some at a time. One that was lost meanwhile, with its executor, is made
 * again from what its client saved.
 */
final class SparkUpdates implements Updates {
    private final RoundContext context;
    private final SharedParts shared;
    private final RunListener listener;
    private final long bytesAtOnce;
    private final Broadcast<byte[]> sent;

    /** A partition for each client, in order of id. */
    private final JavaRDD<Answer> answers;

    private List<Answer.Head> heads = List.of();

    /**
     * Updates of clients that have not trained yet.
     *
     * @param bytesAtOnce about how many bytes of updates the driver takes at a time, at least one update
     * @param sent to the clients; is destroyed with the updates
     */
    SparkUpdates(
            RoundContext context,
            SharedParts shared,
            RunListener listener,
            long bytesAtOnce,
            Broadcast<byte[]> sent,
            JavaRDD<Answer> answers) {
        this.context = context;
        this.shared = shared;
        this.listener = listener;
        this.bytesAtOnce = bytesAtOnce;
        this.sent = sent;
        this.answers = answers.persist(StorageLevel.DISK_ONLY());
    }

    /**
     * Has all clients train, and waits for them.
     *
     * @throws org.fedlora4j.common.BadInputException if a client refused
     */
    void train() {
        heads = answers.map(Answer::head).collect();
        heads.forEach(Answer.Head::requireTrained);
    }

    @Override
    public SortedMap<String, Long> weights() {
        SortedMap<String, Long> weights = new TreeMap<>();
        heads.forEach(head -> weights.put(head.clientId(), head.weight()));
        return Collections.unmodifiableSortedMap(weights);
    }

    @Override
    public void forEach(Consumer<SharedUpdate> receiver) throws IOException {
        PartValues wanted = shared.values(context.phase().share());
        int atOnce = (int) Math.max(
                1, Math.min(heads.size(), bytesAtOnce / Math.max(1, wanted.bytes(ClientData.FULL_RANK))));
        for (int begin = 0; begin < heads.size(); begin += atOnce) {
            int end = Math.min(begin + atOnce, heads.size());
            List<Answer>[] partitions =
                    answers.collectPartitions(IntStream.range(begin, end).toArray());
            for (int n = begin; n < end; n++) {
                heads.get(n).replay(context, listener);
                SharedUpdate update = partitions[n - begin].get(0).update(context, shared, wanted);
                listener.updateSent(context, update);
                receiver.accept(update);
            }
        }
    }

    @Override
    public void close() {
        answers.unpersist(false);
        sent.destroy();
    }
}
