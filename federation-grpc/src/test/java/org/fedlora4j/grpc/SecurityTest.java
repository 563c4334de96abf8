package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.grpc.wire.JoinReply;
import org.fedlora4j.grpc.wire.JoinRequest;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who is let in, over TLS and not. */
@Timeout(120)
class SecurityTest {
    private static final Duration YEAR = Duration.ofDays(365);
    private static final List<ClientData> CLIENTS = TinyRun.clients(2);

    @TempDir
    static Path folder;

    private static Parties parties;
    private static GrpcEngine engine;

    @BeforeAll
    static void listen() throws Exception {
        Certificates ours = Certificates.in(folder.resolve("ours"), YEAR);
        ours.issueServer("127.0.0.1", YEAR);
        for (String client : List.of("a", "b", "stranger")) {
            ours.issueClient(client, YEAR);
        }
        ours.issueClient("expired", Instant.now().minus(YEAR), Duration.ofDays(1));
        Certificates others = Certificates.in(folder.resolve("others"), YEAR);
        others.issueServer("127.0.0.1", YEAR);
        others.issueClient("a", YEAR);
        parties = new Parties(folder);
        engine = parties.engine(
                TinyRun.offer(1),
                CLIENTS,
                2,
                Parties.ROUND_TIMEOUT,
                new Endpoint("127.0.0.1", 0, tls("ours", "server")));
    }

    @AfterAll
    static void stop() {
        engine.close();
        parties.close();
    }

    @Test
    void aRunOverTlsIsTheInProcessRun() throws Exception {
        try (LanguageModel model = TinyFederation.open(folder.resolve("model"))) {
            GrpcEngine own = parties.engine(
                    TinyRun.offer(1),
                    CLIENTS,
                    2,
                    Parties.ROUND_TIMEOUT,
                    new Endpoint("127.0.0.1", 0, tls("ours", "server")));
            Future<AdapterState> server = parties.serve(own, TinyRun.offer(1), RunListener.NONE);
            Map<String, Future<FederationClient.Outcome>> outcomes = new TreeMap<>();
            for (ClientData client : CLIENTS) {
                Endpoint endpoint = new Endpoint("127.0.0.1", own.port(), tls("ours", client.id()));
                outcomes.put(client.id(), parties.start(endpoint, client, Policy.OPEN, RunListener.NONE));
            }
            assertThat(Parties.models(server, outcomes))
                    .isEqualTo(TinyFederation.run(model, TinyFederation.settings(1), CLIENTS, RunListener.NONE));
        }
    }

    @Test
    void whoIsNotOnTheListIsToldSo() throws Exception {
        assertRefused(tls("ours", "stranger"), "refused: client 'stranger' is unknown, wanted one of");
    }

    @Test
    void aCertificateOfAnotherAuthorityIsRefused() throws Exception {
        Path theirs = folder.resolve("others");
        // The server's, by the client.
        assertRefused(tls("others", "a"), "no secure connection: ");
        // The client's, by the server: the client trusts ours, and shows theirs.
        Security mixed = new Security.MutualTls(
                folder.resolve("ours/authority.pem"), theirs.resolve("a.pem"), theirs.resolve("a.key"));
        assertRefused(mixed, "");
    }

    @Test
    void anExpiredCertificateIsRefused() throws Exception {
        assertRefused(tls("ours", "expired"), "");
    }

    /** The server's certificate is no client's. */
    @Test
    void aServersCertificateIsNoClients() throws Exception {
        assertRefused(tls("ours", "server"), "");
    }

    @Test
    void withoutACertificateNobodyIsLetIn() throws Exception {
        ChannelCredentials none = TlsChannelCredentials.newBuilder()
                .trustManager(folder.resolve("ours/authority.pem").toFile())
                .build();
        ManagedChannel channel =
                NettyChannelBuilder.forAddress("127.0.0.1", engine.port(), none).build();
        try {
            assertThatThrownBy(() -> join(channel)).isInstanceOf(StatusRuntimeException.class);
        } finally {
            channel.shutdownNow();
        }
    }

    @Test
    void plaintextIsNoUseWithAServerThatWantsTls() throws Exception {
        assertRefused(new Security.Plaintext("a"), "UNAVAILABLE");
    }

    /** It is the certificate that says who calls; a header of the plaintext kind counts for nothing. */
    @Test
    void nobodyIsWhoTheySayTheyAre() throws Exception {
        Metadata header = new Metadata();
        header.put(Identity.HEADER, "a");
        ManagedChannel channel = NettyChannelBuilder.forAddress(
                        "127.0.0.1", engine.port(), tls("ours", "stranger").forClient())
                .build();
        try {
            JoinReply reply = ClientCalls.blockingUnaryCall(
                    ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(header)),
                    Wire.JOIN,
                    CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS),
                    request());
            assertThat(reply.getRefused().getReason()).contains("client 'stranger' is unknown");
            assertThat(HealthGrpc.newBlockingStub(channel)
                            .check(HealthCheckRequest.newBuilder()
                                    .setService(Wire.SERVICE)
                                    .build())
                            .getStatus())
                    .isEqualTo(ServingStatus.SERVING);
        } finally {
            channel.shutdownNow();
        }
    }

    @Test
    void plaintextStaysOnLoopback() throws Exception {
        for (String beyond : List.of("0.0.0.0", "192.0.2.1")) {
            Endpoint endpoint = new Endpoint(beyond, 0, new Security.Plaintext("a"));
            String message = "plaintext: " + beyond + " is " + beyond + ", wanted a loopback address";
            assertThatThrownBy(() -> parties.engine(TinyRun.offer(1), CLIENTS, 1, Parties.ROUND_TIMEOUT, endpoint))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith(message);
            assertThatThrownBy(() -> client(endpoint))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith(message);
        }
    }

    @Test
    void theServerMustBeWhoseNameIsCalled() throws Exception {
        Certificates.in(folder.resolve("ours"), YEAR);
        Path elsewhere = folder.resolve("elsewhere");
        Certificates authority = Certificates.in(elsewhere, YEAR);
        authority.issueServer("elsewhere.example", YEAR);
        authority.issueClient("a", YEAR);
        try (GrpcEngine other = parties.engine(
                TinyRun.offer(1),
                CLIENTS,
                1,
                Parties.ROUND_TIMEOUT,
                new Endpoint("127.0.0.1", 0, tls("elsewhere", "server")))) {
            try (FederationClient client = client(new Endpoint("127.0.0.1", other.port(), tls("elsewhere", "a")))) {
                assertThatThrownBy(client::offer)
                        .isInstanceOf(BadInputException.class)
                        .hasMessageContaining("no secure connection: ");
            }
        }
    }

    @Test
    void anotherProtocolOrModelIsRefused() throws Exception {
        ManagedChannel channel = NettyChannelBuilder.forAddress(
                        "127.0.0.1", engine.port(), tls("ours", "a").forClient())
                .build();
        try {
            assertThat(join(channel, request().toBuilder().setProtocol(9).build())
                            .getRefused()
                            .getReason())
                    .isEqualTo("protocol 9, wanted the server's, 1");
            assertThat(join(channel, request().toBuilder().setModel("GPT").build())
                            .getRefused()
                            .getReason())
                    .startsWith("model GPT, wanted the server's, LlamaConfig[");
            assertThat(join(channel, request().toBuilder().setExamples(-1).build())
                            .getRefused()
                            .getReason())
                    .isEqualTo("examples: -1, wanted at least 1");
        } finally {
            channel.shutdownNow();
        }
    }

    @Test
    void keysAreTheOwnersAlone() throws Exception {
        for (String key : List.of("authority.key", "server.key", "a.key")) {
            assertThat(Files.getPosixFilePermissions(folder.resolve("ours").resolve(key)))
                    .as(key)
                    .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        }
        assertThat(tls("ours", "a").clientId()).isEqualTo("a");
    }

    @Test
    void badNamesAreRefused() throws Exception {
        Certificates ours = Certificates.in(folder.resolve("ours"), YEAR);
        for (String id : List.of("", "../a", "a b", "server", "authority", "a,O=x")) {
            assertThatThrownBy(() -> ours.issueClient(id, YEAR))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("client '" + id + "': wanted letters");
        }
        assertThatThrownBy(() -> ours.issueClient("a", YEAR)).hasMessageContaining("a.pem: is there already");
    }

    private static void assertRefused(Security security, String reason) throws Exception {
        long joined = joined();
        try (FederationClient client = client(new Endpoint("127.0.0.1", engine.port(), security))) {
            assertThatThrownBy(client::offer)
                    .isInstanceOf(BadInputException.class)
                    .hasMessageStartingWith("server 127.0.0.1:" + engine.port())
                    .hasMessageContaining(reason);
        }
        assertThat(joined()).isEqualTo(joined);
    }

    private static long joined() {
        return List.copyOf(parties.serverLog).stream()
                .filter(line -> line.contains("\"event\":\"joined\""))
                .count();
    }

    private static FederationClient client(Endpoint endpoint) throws Exception {
        EventLog log = new EventLog(line -> {}, InstantSource.system());
        return new FederationClient(
                endpoint,
                TinyFederation.MODEL,
                new FederationClient.Settings(
                        Policy.OPEN, Duration.ofMillis(20), Duration.ofSeconds(1), Duration.ofSeconds(1)),
                log,
                log);
    }

    private static Security tls(String authority, String name) {
        Path certificates = folder.resolve(authority);
        return new Security.MutualTls(
                certificates.resolve("authority.pem"),
                certificates.resolve(name + ".pem"),
                certificates.resolve(name + ".key"));
    }

    private static JoinRequest request() {
        return JoinRequest.newBuilder()
                .setProtocol(Wire.PROTOCOL)
                .setModel(TinyFederation.MODEL.toString())
                .build();
    }

    private static JoinReply join(ManagedChannel channel) {
        return join(channel, request());
    }

    private static JoinReply join(ManagedChannel channel, JoinRequest request) {
        return ClientCalls.blockingUnaryCall(
                channel, Wire.JOIN, CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS), request);
    }
}
