package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What fails while a run goes on. Where no client is left out, the result is that of the undisturbed run, to the bit. */
@Timeout(180)
class FaultsTest {
    private static final List<ClientData> CLIENTS = TinyRun.clients(2);

    @TempDir
    Path folder;

    private RunOffer offer;
    private LanguageModel model;
    private Parties parties;

    @BeforeEach
    void open() throws Exception {
        offer = TinyRun.offer(1);
        model = TinyFederation.open(folder.resolve("model"));
        parties = new Parties(folder);
    }

    @AfterEach
    void close() throws Exception {
        parties.close();
        model.close();
    }

    /** The server is killed when it has one client's update of a phase and waits for the other's, in every phase. */
    @Test
    void theServerIsKilledInTheMiddleOfEveryPhase() throws Exception {
        int port = freePort();
        Map<String, Future<FederationClient.Outcome>> outcomes = start(port);
        for (int stage = 0; stage < 1 + 2 * 3; stage++) {
            int at = stage;
            GrpcEngine doomed = engine(port);
            Future<AdapterState> killed = parties.serve(doomed, offer, new RunListener() {
                @Override
                public void updateSent(RoundContext context, SharedUpdate update) {
                    if (context.stage() == at) {
                        throw new IllegalStateException("killed");
                    }
                }
            });
            assertThatThrownBy(() -> Parties.get(killed)).hasMessage("killed");
        }
        GrpcEngine engine = engine(port);
        assertSame(parties.serve(engine, offer, RunListener.NONE), outcomes);
    }

    /** And after each phase, when its state is saved; after the last one all that is left is to send the result. */
    @Test
    void theServerIsKilledAfterEveryPhase() throws Exception {
        int port = freePort();
        Map<String, Future<FederationClient.Outcome>> outcomes = start(port);
        for (int stage = 0; stage < 1 + 2 * 3; stage++) {
            GrpcEngine doomed = engine(port);
            Future<AdapterState> killed = parties.serve(doomed, offer, new RunListener() {
                @Override
                public void phaseEnded(RoundContext context, PhaseResult result) {
                    throw new IllegalStateException("killed");
                }
            });
            assertThatThrownBy(() -> Parties.get(killed)).hasMessage("killed");
        }
        assertSame(parties.serve(engine(port), offer, RunListener.NONE), outcomes);
    }

    /** A client is killed in every phase when it has made one step of two, and started again. */
    @Test
    void aClientIsKilledInTheMiddleOfEveryPhase() throws Exception {
        GrpcEngine engine = engine(0);
        Future<AdapterState> server = parties.serve(engine, offer, RunListener.NONE);
        Map<String, Future<FederationClient.Outcome>> outcomes = new TreeMap<>();
        outcomes.put("a", parties.start(engine.port(), CLIENTS.get(0)));
        outcomes.put("b", parties.submit(() -> {
            for (int stage = 0; stage < 1 + 2 * 3; stage++) {
                int at = stage;
                assertThatThrownBy(() -> parties.client(
                                Parties.loopback(engine.port(), "b"), CLIENTS.get(1), Policy.OPEN, new RunListener() {
                                    @Override
                                    public void clientStep(
                                            RoundContext context, String client, int step, double loss, long tokens) {
                                        if (context.stage() == at && step == 1) {
                                            throw new IllegalStateException("killed");
                                        }
                                    }
                                }))
                        .hasMessage("killed");
            }
            return parties.client(Parties.loopback(engine.port(), "b"), CLIENTS.get(1), Policy.OPEN, RunListener.NONE);
        }));
        assertSame(server, outcomes);
    }

    /** When it has trained and saved, and nothing was sent yet. */
    @Test
    void aClientIsKilledBeforeItSends() throws Exception {
        GrpcEngine engine = engine(0);
        Future<AdapterState> server = parties.serve(engine, offer, RunListener.NONE);
        Map<String, Future<FederationClient.Outcome>> outcomes = new TreeMap<>();
        outcomes.put("a", parties.start(engine.port(), CLIENTS.get(0)));
        List<Integer> steps = new ArrayList<>();
        outcomes.put("b", parties.submit(() -> {
            for (int stage = 0; stage < 1 + 2 * 3; stage++) {
                int at = stage;
                assertThatThrownBy(() -> parties.client(
                                Parties.loopback(engine.port(), "b"), CLIENTS.get(1), Policy.OPEN, new RunListener() {
                                    @Override
                                    public void clientStep(
                                            RoundContext context, String client, int step, double loss, long tokens) {
                                        steps.add(step);
                                    }

                                    @Override
                                    public void updateSent(RoundContext context, SharedUpdate update) {
                                        if (context.stage() == at) {
                                            throw new IllegalStateException("killed");
                                        }
                                    }
                                }))
                        .hasMessage("killed");
            }
            return parties.client(Parties.loopback(engine.port(), "b"), CLIENTS.get(1), Policy.OPEN, RunListener.NONE);
        }));
        assertSame(server, outcomes);
        assertThat(steps).as("nothing is trained twice").hasSize(2 * (1 + 2 * 3));
    }

    /** Each connection breaks after some kilobytes, in the middle of whatever is sent then. */
    @Test
    void connectionsBreakAgainAndAgain() throws Exception {
        GrpcEngine engine = engine(0);
        try (RecordingProxy proxy = new RecordingProxy(engine.port())) {
            proxy.cutAfter(3_500);
            Future<AdapterState> server = parties.serve(engine, offer, RunListener.NONE);
            assertSame(server, start(proxy.port()));
            assertThat(proxy.sent()).hasSizeGreaterThan(4);
        }
    }

    @Test
    void aSlowConnectionOnlyTakesLonger() throws Exception {
        GrpcEngine engine = engine(0);
        try (RecordingProxy proxy = new RecordingProxy(engine.port())) {
            proxy.slowDown();
            assertSame(parties.serve(engine, offer, RunListener.NONE), start(proxy.port()));
        }
    }

    /** The server goes back to the state before; clients send again what they sent, and train the rest once. */
    @Test
    void theServersLatestStateIsDamaged() throws Exception {
        int port = freePort();
        Map<String, Future<FederationClient.Outcome>> outcomes = start(port);
        GrpcEngine doomed = engine(port);
        Future<AdapterState> killed = parties.serve(doomed, offer, new RunListener() {
            @Override
            public void updateSent(RoundContext context, SharedUpdate update) {
                if (context.stage() == 4) {
                    throw new IllegalStateException("killed");
                }
            }
        });
        assertThatThrownBy(() -> Parties.get(killed)).hasMessage("killed");
        Path damaged = folder.resolve("server/000004/shared.safetensors");
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[bytes.length - 2] ^= 1;
        Files.write(damaged, bytes);
        List<String> warnings = new ArrayList<>();
        List<Integer> stages = new ArrayList<>();
        assertSame(
                parties.serve(engine(port), offer, new RunListener() {
                    @Override
                    public void phaseStarted(RoundContext context) {
                        stages.add(context.stage());
                    }

                    @Override
                    public void warning(String line) {
                        warnings.add(line);
                    }
                }),
                outcomes);
        assertThat(warnings).singleElement().asString().contains("000004: damaged");
        assertThat(stages).containsExactly(3, 4, 5, 6);
    }

    /** What a client kept is lost with its state, so it stops and says which file. */
    @Test
    void aClientsDamagedStateStopsIt() throws Exception {
        GrpcEngine engine = engine(0);
        Future<AdapterState> server = parties.serve(engine, offer, RunListener.NONE);
        Future<FederationClient.Outcome> dies =
                parties.start(Parties.loopback(engine.port(), "b"), CLIENTS.get(1), Policy.OPEN, new RunListener() {
                    @Override
                    public void updateSent(RoundContext context, SharedUpdate update) {
                        throw new IllegalStateException("killed");
                    }
                });
        assertThatThrownBy(() -> Parties.get(dies)).hasMessage("killed");
        Path damaged = folder.resolve("client-b").resolve(offer.id()).resolve("000000/client.json");
        Files.writeString(damaged, Files.readString(damaged).replace("loss", "lots"));

        assertThatThrownBy(() -> Parties.get(parties.start(engine.port(), CLIENTS.get(1))))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith(damaged.getParent() + ": damaged (the files' checksums differ");
        server.cancel(true);
    }

    /** What it sends it must be able to send again, so it saves first. */
    @Test
    void aClientThatCannotSaveSendsNothing() throws Exception {
        GrpcEngine engine = engine(0);
        Future<AdapterState> server = parties.serve(engine, offer, RunListener.NONE);
        Path inTheWay = Files.writeString(folder.resolve("client-b"), "not a folder");
        assertThatThrownBy(() -> Parties.get(parties.start(engine.port(), CLIENTS.get(1))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("client-b");
        assertThat(parties.serverLog).noneMatch(line -> line.contains("\"event\":\"accepted\""));

        Files.delete(inTheWay);
        assertSame(server, start(engine.port()));
    }

    /** Client b dies in the first round and comes back in the second; the others go on without it. */
    @Test
    void aLostClientComesBack() throws Exception {
        GrpcEngine engine = parties.engine(offer, CLIENTS, 1, Duration.ofSeconds(2), Parties.loopback(0, ""));
        CountDownLatch secondRound = new CountDownLatch(1);
        Map<Integer, Integer> updates = new TreeMap<>();
        Future<AdapterState> server = parties.serve(engine, offer, new RunListener() {
            @Override
            public void phaseEnded(RoundContext context, PhaseResult result) {
                updates.put(context.stage(), result.clients().size());
                if (context.stage() == 2) {
                    secondRound.countDown();
                }
            }
        });
        Future<FederationClient.Outcome> dies =
                parties.start(Parties.loopback(engine.port(), "b"), CLIENTS.get(1), Policy.OPEN, new RunListener() {
                    @Override
                    public void clientStep(RoundContext context, String client, int step, double loss, long tokens) {
                        if (context.stage() == 1) {
                            throw new IllegalStateException("killed");
                        }
                    }
                });
        Future<FederationClient.Outcome> stays = parties.start(engine.port(), CLIENTS.get(0));
        assertThatThrownBy(() -> Parties.get(dies)).hasMessage("killed");
        secondRound.await();
        Future<FederationClient.Outcome> back = parties.start(engine.port(), CLIENTS.get(1));

        AdapterState global = Parties.get(server);
        assertThat(Parties.get(stays).shared().adapter()).isEqualTo(global);
        assertThat(Parties.get(back).shared().adapter()).isEqualTo(global);
        assertThat(updates).containsEntry(0, 2).containsEntry(1, 1).containsEntry(6, 2);
        assertThat(parties.serverLog)
                .anySatisfy(line -> assertThat(line).contains("\"event\":\"went on without\"", "[\"b\"]"))
                .anySatisfy(line -> assertThat(line).contains("\"event\":\"joined again\"", "\"b\""));
    }

    /** Bytes that are no HTTP/2, some that begin as such, and none at all. */
    @Test
    void garbageIsNobodysAffair() throws Exception {
        GrpcEngine engine = engine(0);
        Future<AdapterState> server = parties.serve(engine, offer, RunListener.NONE);
        Random random = new Random(1);
        for (String begin : List.of("", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\n\r\n")) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), engine.port());
                    OutputStream out = socket.getOutputStream()) {
                byte[] bytes = new byte[100_000];
                random.nextBytes(bytes);
                out.write(begin.getBytes(StandardCharsets.US_ASCII));
                out.write(bytes);
            } catch (SocketException e) {
                // The server hung up, as it should.
                assertThat(e).hasMessageContaining("");
            }
        }
        Socket silent = new Socket(InetAddress.getLoopbackAddress(), engine.port());
        try (silent) {
            assertSame(server, start(engine.port()));
        }
    }

    @Test
    void aServerThatIsAwayForTooLongIsNamed() throws Exception {
        int port = freePort();
        FederationClient.Settings hasty = new FederationClient.Settings(
                Policy.OPEN, Duration.ofMillis(10), Duration.ofMillis(200), Duration.ofSeconds(1));
        try (FederationClient client = new FederationClient(
                Parties.loopback(port, "a"),
                TinyFederation.MODEL,
                hasty,
                parties.serverEvents(),
                parties.serverEvents())) {
            assertThatThrownBy(client::offer)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("server 127.0.0.1:" + port + ": UNAVAILABLE")
                    .hasMessageEndingWith(", wanted an answer within 0 s");
        }
        assertThat(parties.serverLog).anySatisfy(line -> assertThat(line).contains("trying again"));
    }

    private GrpcEngine engine(int port) throws Exception {
        return parties.engine(offer, CLIENTS, 2, Parties.ROUND_TIMEOUT, Parties.loopback(port, ""));
    }

    private Map<String, Future<FederationClient.Outcome>> start(int port) {
        Map<String, Future<FederationClient.Outcome>> outcomes = new TreeMap<>();
        CLIENTS.forEach(client -> outcomes.put(client.id(), parties.start(port, client)));
        return outcomes;
    }

    private void assertSame(Future<AdapterState> server, Map<String, Future<FederationClient.Outcome>> outcomes)
            throws Exception {
        assertThat(Parties.models(server, outcomes))
                .isEqualTo(TinyFederation.run(model, TinyFederation.settings(1), CLIENTS, RunListener.NONE));
    }

    private static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
