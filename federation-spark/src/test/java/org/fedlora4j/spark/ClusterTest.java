package org.fedlora4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SortedSet;
import java.util.concurrent.CompletableFuture;
import org.apache.spark.api.java.JavaSparkContext;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine on a standalone cluster: a master and two workers, each a process of its own, as their executors are. */
class ClusterTest {
    private static final Toy.Source CLIENTS = new Toy.Source(6);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    /**
     * Says in which process the examples of one client are first asked for, which then waits to be killed.
     *
     * @param place a file that appears then and holds the process's id
     */
    private record Trap(String client, String place) implements ClientSource {
        @Override
        public SortedSet<String> clientIds() {
            return CLIENTS.clientIds();
        }

        @Override
        public ClientData client(String id) throws IOException {
            if (id.equals(client) && springs()) {
                try {
                    Thread.sleep(Duration.ofMinutes(5).toMillis());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                throw new IOException("nobody was killed");
            }
            return CLIENTS.client(id);
        }

        private boolean springs() throws IOException {
            try {
                Path half = Files.createFile(Path.of(place + ".half"));
                Files.writeString(half, String.valueOf(ProcessHandle.current().pid()));
                Files.move(half, Path.of(place));
                return true;
            } catch (FileAlreadyExistsException e) {
                return false;
            }
        }
    }

    @Test
    void aWorkerKilledInTheMiddleOfARoundChangesNothing() throws IOException {
        Path model = Toy.model(folder.resolve("model"));
        Federation.Settings settings = Toy.settings(folder);
        Toy.Models undisturbed = Toy.inProcess(model, settings, CLIENTS, RunListener.NONE);
        // The last client of the round's first phase, so that others have trained on either worker.
        String client = settings.context(1)
                .participants(CLIENTS.clientIds(), settings.participation())
                .last();
        Trap trap = new Trap(client, folder.resolve("place").toString());
        try (LocalCluster cluster = LocalCluster.start(folder.resolve("cluster"), 2);
                JavaSparkContext spark = new JavaSparkContext(cluster.conf());
                Federation federation = new Federation(
                        Toy.CONFIG,
                        settings,
                        new SparkEngine(
                                spark,
                                model,
                                LanguageModel.Settings.DEFAULT,
                                settings,
                                trap,
                                folder.resolve("clients")))) {
            CompletableFuture<Void> killed =
                    CompletableFuture.runAsync(() -> cluster.killWorkerOf(Path.of(trap.place())));
            federation.run(RunListener.NONE);
            killed.join();
            assertThat(Toy.Models.of(federation)).isEqualTo(undisturbed);
        }
    }
}
