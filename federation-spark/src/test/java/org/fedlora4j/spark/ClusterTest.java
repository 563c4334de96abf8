package org.fedlora4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SortedSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.spark.api.java.JavaSparkContext;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine on a standalone cluster: a master and two workers, each a process of its own, as their executors are. */
class ClusterTest {
    private static final TinyClients CLIENTS = new TinyClients(6);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    /**
     * Says in which process a client trains.
     *
     * @param place a file that holds that process's id
     * @param waits whether the process waits to be killed when it is first asked for the client's examples
     */
    private record Trap(String client, String place, boolean waits) implements ClientSource {
        @Override
        public SortedSet<String> clientIds() {
            return CLIENTS.clientIds();
        }

        @Override
        public ClientData client(String id) throws IOException {
            if (id.equals(client)) {
                boolean first = !Files.exists(Path.of(place));
                AtomicFiles.writeString(
                        Path.of(place), String.valueOf(ProcessHandle.current().pid()));
                if (first && waits) {
                    waitToBeKilled();
                }
            }
            return CLIENTS.client(id);
        }

        private static void waitToBeKilled() throws IOException {
            try {
                Thread.sleep(Duration.ofMinutes(5).toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new IOException("nobody was killed");
        }
    }

    /** In training, or when the clients are done and the driver takes their updates, one by one. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aWorkerKilledInTheMiddleOfARoundChangesNothing(boolean inTraining) throws IOException {
        Path model = TinyFederation.write(folder.resolve("model"));
        Federation.Settings settings = TinyFederation.settings(0.5);
        TinyFederation.Models undisturbed;
        try (LanguageModel opened = LanguageModel.open(model)) {
            undisturbed = TinyFederation.run(opened, settings, CLIENTS.all(), RunListener.NONE);
        }
        // The last client of the round's first phase, so that others have trained on either worker.
        String client = settings.context(1)
                .participants(CLIENTS.clientIds(), settings.participation())
                .last();
        Path place = folder.resolve("place");
        Trap trap = new Trap(client, place.toString(), inTraining);
        try (LocalCluster cluster = LocalCluster.start(folder.resolve("cluster"), 2);
                JavaSparkContext spark = new JavaSparkContext(cluster.conf());
                Federation federation = new Federation(
                        TinyFederation.MODEL,
                        settings,
                        new SparkEngine(
                                spark,
                                model,
                                LanguageModel.Settings.DEFAULT,
                                settings,
                                trap,
                                folder.resolve("clients"),
                                1))) {
            AtomicBoolean killed = new AtomicBoolean();
            CompletableFuture<Void> kill = inTraining
                    ? CompletableFuture.runAsync(() -> cluster.killWorkerOf(place))
                    : CompletableFuture.completedFuture(null);
            federation.run(new RunListener() {
                @Override
                public void updateSent(RoundContext context, SharedUpdate update) {
                    // That client's update is still to come.
                    if (!inTraining && context.stage() == 1 && killed.compareAndSet(false, true)) {
                        cluster.killWorkerOf(place);
                    }
                }
            });
            kill.join();
            assertThat(killed.get()).isNotEqualTo(inTraining);
            assertThat(TinyFederation.Models.of(federation)).isEqualTo(undisturbed);
        }
    }
}
