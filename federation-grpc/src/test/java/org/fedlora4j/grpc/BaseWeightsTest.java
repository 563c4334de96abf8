package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Future;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.model.weights.WeightsDigest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** All clients of a run have the same base weights. */
@Timeout(120)
class BaseWeightsTest {
    private static final String ONE = "1".repeat(64);
    private static final String TWO = "2".repeat(64);

    @TempDir
    Path folder;

    private Path file;
    private Path none;

    @BeforeEach
    void name() throws Exception {
        file = folder.resolve("weights");
        none = Files.createDirectory(folder.resolve("configuration-alone"));
    }

    @Test
    void theFirstClientsAreThoseOfTheRun() throws Exception {
        BaseWeights weights = BaseWeights.of(file, none);
        assertThat(file).doesNotExist();
        assertThat(weights.objection("a", ONE)).isEmpty();
        assertThat(file).hasContent(ONE + "  a\n");
        assertThat(weights.objection("b", ONE)).isEmpty();
        assertThat(weights.objection("b", TWO)).contains("weights " + TWO + ", wanted those of a, " + ONE);

        // Of a server that is started again, too.
        BaseWeights again = BaseWeights.of(file, none);
        assertThat(again.objection("b", TWO)).contains("weights " + TWO + ", wanted those of a, " + ONE);
        assertThat(again.objection("b", ONE)).isEmpty();
    }

    @Test
    void theServersOwnComeFirst() throws Exception {
        Path model = folder.resolve("model");
        TinyFederation.open(model).close();
        String own = WeightsDigest.of(model);
        BaseWeights weights = BaseWeights.of(file, model);
        assertThat(file).hasContent(own + "  the server\n");
        assertThat(weights.objection("a", ONE)).contains("weights " + ONE + ", wanted those of the server, " + own);
        assertThat(weights.objection("a", own)).isEmpty();

        Files.writeString(file, TWO + "  a\n");
        assertThatThrownBy(() -> BaseWeights.of(file, model))
                .isInstanceOf(BadInputException.class)
                .hasMessage(model + ": weights " + own + ", wanted those of a, " + TWO);
    }

    @Test
    void whatIsNoDigestIsRefused() throws Exception {
        BaseWeights weights = BaseWeights.of(file, none);
        for (String wrong : List.of("", "1".repeat(63), ONE + "\n", "g" + ONE.substring(1))) {
            assertThat(weights.objection("a", wrong))
                    .contains("weights: '" + wrong + "', wanted a SHA-256 of 64 hexadecimal digits");
        }
        assertThat(file).doesNotExist();
        Files.writeString(file, "something\n");
        assertThatThrownBy(() -> BaseWeights.of(file, none))
                .isInstanceOf(BadInputException.class)
                .hasMessage(file + ": 'something', wanted a SHA-256 and whose weights it is of");
    }

    /** B's model differs from a's in the last bit of one weight. */
    @Test
    void aClientWithOthersIsToldSoAndTakesNoPart() throws Exception {
        List<ClientData> clients = TinyRun.clients(2);
        RunOffer offer = TinyRun.offer(1);
        Path first = folder.resolve("first");
        Path second = folder.resolve("second");
        TinyFederation.open(first.resolve("model")).close();
        TinyFederation.open(second.resolve("model")).close();
        Path changed = second.resolve("model/model.safetensors");
        byte[] bytes = Files.readAllBytes(changed);
        bytes[bytes.length - 4] ^= 1;
        Files.write(changed, bytes);
        try (Parties parties = new Parties(first);
                Parties others = new Parties(second)) {
            GrpcEngine engine = parties.engine(offer, clients, 2, Parties.ROUND_TIMEOUT, Parties.loopback(0, ""));
            Future<AdapterState> server = parties.serve(engine, offer, RunListener.NONE);
            Future<FederationClient.Outcome> a = parties.start(engine.port(), clients.get(0));
            while (parties.serverLog.stream().noneMatch(line -> line.contains("\"event\":\"joined\""))) {
                Thread.sleep(20);
            }
            assertThatThrownBy(() -> Parties.get(others.start(engine.port(), clients.get(1))))
                    .isInstanceOf(BadInputException.class)
                    .hasMessage("server 127.0.0.1:" + engine.port() + " refused: weights "
                            + WeightsDigest.of(second.resolve("model")) + ", wanted those of a, "
                            + WeightsDigest.of(first.resolve("model")));
            assertThat(parties.serverLog)
                    .anySatisfy(line -> assertThat(line).contains("refused to join", "\"client\":\"b\""))
                    .noneSatisfy(line -> assertThat(line).contains("\"event\":\"accepted\",\"client\":\"b\""));

            Parties.get(parties.start(engine.port(), clients.get(1)));
            Parties.get(a);
            Parties.get(server);
        }
    }
}
