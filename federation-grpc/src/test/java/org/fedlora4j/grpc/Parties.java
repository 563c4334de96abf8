package org.fedlora4j.grpc;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.StateFolder;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.model.LanguageModel;

/** A server and clients in threads of one process, with sockets between them. */
final class Parties implements AutoCloseable {
    static final Duration ROUND_TIMEOUT = Duration.ofSeconds(60);
    static final Duration PHASE_TIMEOUT = Duration.ofHours(1);

    final List<String> serverLog = Collections.synchronizedList(new ArrayList<>());
    final List<String> clientLog = Collections.synchronizedList(new ArrayList<>());
    final List<String> auditLog = Collections.synchronizedList(new ArrayList<>());

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Path folder;

    /** @param folder for the states of all, with the model in {@code model} */
    Parties(Path folder) {
        this.folder = folder;
    }

    static Endpoint loopback(int port, String client) {
        return new Endpoint("127.0.0.1", port, new Security.Plaintext(client));
    }

    EventLog serverEvents() {
        return new EventLog(serverLog::add, InstantSource.system());
    }

    GrpcEngine engine(RunOffer offer, List<ClientData> clients, int minClients, Duration timeout, Endpoint endpoint)
            throws IOException {
        return new GrpcEngine(
                TinyFederation.MODEL,
                offer,
                new GrpcEngine.Settings(TinyRun.ids(clients), minClients, timeout, PHASE_TIMEOUT, 10),
                // A server needs no weights; clients compare theirs.
                BaseWeights.of(folder.resolve("weights"), folder),
                endpoint,
                serverEvents());
    }

    /** Runs the rounds on an engine, saves after each phase, and closes it. */
    Future<AdapterState> serve(GrpcEngine engine, RunOffer offer, RunListener listener) {
        return threads.submit(() -> {
            try (Federation federation = new Federation(TinyFederation.MODEL, offer.settings(), engine)) {
                federation.run(listener, new StateFolder(folder.resolve("server")));
                engine.finish(federation);
                return federation.global();
            }
        });
    }

    Future<FederationClient.Outcome> start(Endpoint server, ClientData data, Policy policy, RunListener listener) {
        return threads.submit(() -> client(server, data, policy, listener));
    }

    Future<FederationClient.Outcome> start(int port, ClientData data) {
        return start(loopback(port, data.id()), data, Policy.OPEN, RunListener.NONE);
    }

    FederationClient.Outcome client(Endpoint server, ClientData data, Policy policy, RunListener listener)
            throws IOException {
        FederationClient.Settings settings = new FederationClient.Settings(
                policy, Duration.ofMillis(50), Duration.ofSeconds(60), Duration.ofMillis(100));
        EventLog log = new EventLog(line -> clientLog.add(data.id() + " " + line), InstantSource.system());
        EventLog audit = new EventLog(auditLog::add, InstantSource.system());
        // A model is for one thread.
        try (LanguageModel model = LanguageModel.open(folder.resolve("model"));
                FederationClient client = new FederationClient(server, TinyFederation.MODEL, settings, log, audit)) {
            RunOffer offer = client.offer();
            return client.run(offer, 0, model, data, folder.resolve("client-" + data.id()), listener);
        }
    }

    /** What server and clients came to. */
    static TinyFederation.Models models(
            Future<AdapterState> server, Map<String, Future<FederationClient.Outcome>> clients) throws Exception {
        SortedMap<String, AdapterState> own = new TreeMap<>();
        for (Map.Entry<String, Future<FederationClient.Outcome>> client : clients.entrySet()) {
            FederationClient.Outcome outcome = get(client.getValue());
            own.put(client.getKey(), outcome.own());
        }
        return new TinyFederation.Models(get(server), own);
    }

    static <T> T get(Future<T> future) throws Exception {
        try {
            return future.get(120, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        } catch (TimeoutException e) {
            future.cancel(true);
            throw e;
        }
    }

    <T> Future<T> submit(Callable<T> task) {
        return threads.submit(task);
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
