package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.weights.WeightsDigest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a client's owner forbids doesn't leave it, and what left is in its log. */
@Timeout(120)
class PolicyTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<ClientData> CLIENTS = TinyRun.clients(1);

    @TempDir
    Path folder;

    @Test
    void isReadFromAFile() throws Exception {
        assertThat(Policy.fromTree(JSON.readTree("""
                                {"parts": ["A", "A.direction"], "first-round": 2, "last-round": 9, "min-examples": 50}
                                """), "policy.yaml"))
                .isEqualTo(new Policy(Set.of(Part.A, Part.A_DIRECTION), 2, 9, 50));
        assertThat(Policy.fromTree(JSON.readTree("{\"parts\": []}"), "policy.yaml")
                        .parts())
                .isEmpty();
        assertProblem("{}", "policy.yaml: parts: missing, wanted a list");
        assertProblem("{\"parts\": [\"C\"]}", "policy.yaml: parts: 'C', wanted one of [A, B, ");
        assertProblem("{\"parts\": [], \"rounds\": 3}", "policy.yaml: rounds: unknown");
        assertProblem("{\"parts\": [], \"first-round\": 0}", "first-round: 0, wanted at least 1");
        assertProblem(
                "{\"parts\": [], \"first-round\": 3, \"last-round\": 2}",
                "last-round: 2, wanted at least first-round, 3");
        assertProblem("{\"parts\": [], \"min-examples\": 0}", "min-examples: 0, wanted at least 1");
    }

    /** Warm-up and adapt share A and B, the direction phase of each round A's direction. */
    @Test
    void aPartThatMayNotLeaveStopsTheClient() throws Exception {
        assertVeto(
                new Policy(Set.of(Part.A, Part.B), 1, 9, 1),
                2,
                "policy: parts [A, B] may leave, and round 1/2, phase direction sends [A.direction]; nothing of it was"
                        + " sent");
    }

    @Test
    void roundsThatAreOutOfBoundsStopTheClient() throws Exception {
        assertVeto(
                new Policy(Set.of(Part.values()), 1, 2, 1),
                4,
                "policy: parts may leave in rounds 1 to 2, and round 2/2, phase adapt is round 3; nothing of it was"
                        + " sent");
    }

    @Test
    void tooFewExamplesAreNotEvenCountedToTheServer() throws Exception {
        assertVeto(
                new Policy(Set.of(Part.values()), 1, 9, 4),
                0,
                "policy: min-examples is 4, and the client has 3; nothing was sent");
    }

    /** The checksum is of all values as little-endian floats, part by part and module by module. */
    @Test
    void whatLeftIsInTheLog() throws Exception {
        List<SharedUpdate> updates = Collections.synchronizedList(new ArrayList<>());
        RunOffer offer = TinyRun.offer(1);
        try (LanguageModel model = TinyFederation.open(folder.resolve("model"));
                Parties parties = new Parties(folder)) {
            GrpcEngine engine = parties.engine(offer, CLIENTS, 1, Duration.ofSeconds(60), Parties.loopback(0, ""));
            Future<AdapterState> server = parties.serve(engine, offer, new RunListener() {
                @Override
                public void updateSent(RoundContext context, SharedUpdate update) {
                    updates.add(update);
                }
            });
            Parties.get(parties.start(engine.port(), CLIENTS.get(0)));
            Parties.get(server);
            assertThat(model.config()).isEqualTo(TinyFederation.MODEL);
            List<String> left = leaves(parties);
            assertThat(left).hasSize(7).hasSameSizeAs(updates);
            assertThat(parties.auditLog.get(0))
                    .contains("\"event\":\"joins\"", "\"examples\":3", WeightsDigest.of(folder.resolve("model")));
            for (int i = 0; i < updates.size(); i++) {
                JsonNode line = JSON.readTree(left.get(i));
                SharedUpdate update = updates.get(i);
                assertThat(line.get("phase").asText()).isEqualTo(update.phase());
                assertThat(line.get("bytes").asLong()).isEqualTo(update.bytes());
                assertThat(line.get("sha256").asText()).isEqualTo(sha256(update));
                assertThat(line.get("parts").toString().replace("\"", "").replace(",", ", "))
                        .isEqualTo(update.values().parts().toString());
                assertThat(line.get("examples").asLong()).isEqualTo(3);
            }
        }
    }

    /** Here because a folder is in the way of the file. */
    @Test
    void whatCannotBeNotedIsNotSent() throws Exception {
        RunOffer offer = TinyRun.offer(1);
        Path audit = folder.resolve("audit.jsonl");
        EventLog unwritable = EventLog.complete(audit);
        Files.createDirectory(audit);
        try (LanguageModel model = TinyFederation.open(folder.resolve("model"));
                Parties parties = new Parties(folder);
                GrpcEngine engine = parties.engine(offer, CLIENTS, 1, Duration.ofSeconds(60), Parties.loopback(0, ""));
                FederationClient client = new FederationClient(
                        Parties.loopback(engine.port(), "a"),
                        TinyFederation.MODEL,
                        FederationClient.Settings.of(Policy.OPEN),
                        parties.serverEvents(),
                        unwritable)) {
            assertThatThrownBy(() -> client.run(
                            client.offer(), 0, model, CLIENTS.get(0), folder.resolve("client"), RunListener.NONE))
                    .isInstanceOf(FileSystemException.class)
                    .hasMessageStartingWith(audit + ": can't be written: ");
            assertThat(parties.serverLog).noneMatch(line -> line.contains("\"event\":\"joined\""));
        }
    }

    private static List<String> leaves(Parties parties) {
        return List.copyOf(parties.auditLog).stream()
                .filter(line -> line.contains("\"event\":\"leaves\""))
                .toList();
    }

    private static String sha256(SharedUpdate update) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        update.values()
                .values()
                .values()
                .forEach(modules -> modules.values().forEach(matrix -> {
                    ByteBuffer bytes =
                            ByteBuffer.allocate(4 * matrix.values().length).order(ByteOrder.LITTLE_ENDIAN);
                    for (float value : matrix.values()) {
                        bytes.putFloat(value);
                    }
                    digest.update(bytes.array());
                }));
        return HexFormat.of().formatHex(digest.digest());
    }

    private void assertVeto(Policy policy, int stagesSent, String reason) throws Exception {
        RunOffer offer = TinyRun.offer(1);
        List<Integer> stages = Collections.synchronizedList(new ArrayList<>());
        try (LanguageModel model = TinyFederation.open(folder.resolve("model"));
                Parties parties = new Parties(folder)) {
            assertThat(model.config()).isEqualTo(TinyFederation.MODEL);
            GrpcEngine engine = parties.engine(offer, CLIENTS, 1, Duration.ofSeconds(60), Parties.loopback(0, ""));
            Future<AdapterState> server = parties.serve(engine, offer, new RunListener() {
                @Override
                public void updateSent(RoundContext context, SharedUpdate update) {
                    stages.add(context.stage());
                }
            });
            Future<FederationClient.Outcome> client =
                    parties.start(Parties.loopback(engine.port(), "a"), CLIENTS.get(0), policy, RunListener.NONE);
            assertThatThrownBy(() -> Parties.get(client))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage(reason);
            assertThat(leaves(parties)).hasSize(stagesSent);
            if (stagesSent == 0) {
                assertThat(parties.auditLog).isEmpty();
            }
            server.cancel(true);
        }
        assertThat(stages.size()).isLessThanOrEqualTo(stagesSent);
    }

    private static void assertProblem(String json, String problem) throws Exception {
        JsonNode tree = JSON.readTree(json);
        assertThatThrownBy(() -> Policy.fromTree(tree, "policy.yaml"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining(problem);
    }
}
