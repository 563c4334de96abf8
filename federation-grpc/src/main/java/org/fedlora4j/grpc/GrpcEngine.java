package org.fedlora4j.grpc;

import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Collections;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.Engine;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.Fingerprint;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.Updates;
import org.fedlora4j.model.config.LlamaConfig;

/** Clients on other machines, which call this server. What they keep to themselves is never here. */
public final class GrpcEngine implements Engine {
    private static final int CALLS_PER_CONNECTION = 8;
    private static final long STOP_SECONDS = 30;

    private final RunOffer offer;
    private final LlamaConfig model;
    private final SortedSet<String> clients;
    private final Coordinator coordinator;
    private final HealthStatusManager health = new HealthStatusManager();
    private final ExecutorService calls = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "fedlora-call");
        thread.setDaemon(true);
        return thread;
    });
    private final Server server;

    /**
     * How a server deals with its clients.
     *
     * @param clients ids of all that may take part
     * @param minClients with which a round goes on when its others are lost; of a round that has fewer, all
     * @param roundTimeout after which a client of the round that isn't heard of counts as lost; one that trains is heard of
     * @param phaseTimeout after which a client counts as lost for the phase though it reports that it trains, since it was
     *     first sent its task
     * @param normBound how far an update's matrices and magnitudes may move, in norms of the adapter
     */
    public record Settings(
            SortedSet<String> clients, int minClients, Duration roundTimeout, Duration phaseTimeout, double normBound) {
        public Settings {
            clients = Collections.unmodifiableSortedSet(new TreeSet<>(clients));
            if (clients.isEmpty()) {
                throw new BadInputException("clients: empty, wanted at least one");
            }
            if (minClients < 1 || minClients > clients.size()) {
                throw new BadInputException(
                        "min-clients: " + minClients + ", wanted 1 to the number of clients, " + clients.size());
            }
            requirePositive("round-timeout", roundTimeout);
            requirePositive("phase-timeout", phaseTimeout);
            if (!(normBound > 0)) {
                throw new BadInputException("norm-bound: " + normBound + ", wanted above 0");
            }
        }

        private static void requirePositive(String name, Duration duration) {
            if (duration.isNegative() || duration.isZero()) {
                throw new BadInputException(name + ": " + duration.toSeconds() + ", wanted above 0");
            }
        }
    }

    /**
     * Begins to listen; clients may join from now on.
     *
     * @param weights that clients must have
     */
    public GrpcEngine(
            LlamaConfig model, RunOffer offer, Settings settings, BaseWeights weights, Endpoint endpoint, EventLog log)
            throws IOException {
        endpoint.security().requireAllowed(endpoint.host());
        this.offer = offer;
        this.model = model;
        this.clients = settings.clients();
        Members members = new Members(clients, weights, log);
        this.coordinator = new Coordinator(offer, settings, members, log);
        FederationService service =
                new FederationService(coordinator, members, offer, model.toString(), settings.normBound(), log);
        boolean plaintext = endpoint.security() instanceof Security.Plaintext;
        this.server = NettyServerBuilder.forAddress(
                        new InetSocketAddress(endpoint.host(), endpoint.port()),
                        endpoint.security().forServer())
                .addService(ServerInterceptors.intercept(service.definition(), new Identity(plaintext)))
                .addService(health.getHealthService())
                .executor(calls)
                .maxInboundMessageSize(Wire.LARGEST_MESSAGE)
                .maxConcurrentCallsPerConnection(CALLS_PER_CONNECTION)
                .keepAliveTime(30, TimeUnit.SECONDS)
                .keepAliveTimeout(20, TimeUnit.SECONDS)
                .permitKeepAliveTime(10, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .build()
                .start();
        health.setStatus(Wire.SERVICE, ServingStatus.SERVING);
        log.event("listening", "address", endpoint.host() + ":" + server.getPort(), "run", offer.id());
    }

    /** The port that is listened on. */
    public int port() {
        return server.getPort();
    }

    /** How things stand, without the learning curve. */
    Status status() {
        return coordinator.status();
    }

    @Override
    public SortedSet<String> clientIds() {
        return clients;
    }

    @Override
    public SortedMap<String, String> fingerprint() {
        SortedMap<String, String> texts = Fingerprint.of(model, offer.settings());
        texts.put("clients", clients.toString());
        return texts;
    }

    @Override
    public Updates train(RoundContext context, SharedParts shared, SortedSet<String> asked, RunListener listener)
            throws IOException {
        return Updates.of(coordinator.train(context, shared, asked, listener));
    }

    @Override
    public SortedMap<String, PartValues> privateParts() {
        return new TreeMap<>();
    }

    @Override
    public void restore(SortedMap<String, PartValues> privateParts) {
        if (!privateParts.isEmpty()) {
            throw new BadInputException("the saved state: holds what clients " + privateParts.keySet()
                    + " keep to themselves, wanted one of a server's run");
        }
    }

    /**
     * Sends every client the result, and waits until all have it, at most as long as for a lost client.
     *
     * @param federation that came to its end on this engine
     */
    public void finish(Federation federation) throws IOException {
        coordinator.finish(federation.shared());
    }

    @Override
    public void close() {
        health.enterTerminalState();
        coordinator.close();
        server.shutdown();
        try {
            if (!server.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
                server.shutdownNow();
            }
        } catch (InterruptedException e) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
        calls.shutdownNow();
    }
}
