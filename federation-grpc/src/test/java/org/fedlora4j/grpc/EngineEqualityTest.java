package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run across processes is the run in one process, to the last bit. */
@Timeout(180)
class EngineEqualityTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(doubles = {1, 0.7})
    void isTheInProcessRun(double participation) throws Exception {
        List<ClientData> clients = TinyRun.clients(3);
        RunOffer offer = TinyRun.offer(participation);
        try (LanguageModel model = TinyFederation.open(folder.resolve("model"));
                Parties parties = new Parties(folder)) {
            GrpcEngine engine = parties.engine(offer, clients, 3, Parties.ROUND_TIMEOUT, Parties.loopback(0, ""));
            Future<AdapterState> server = parties.serve(engine, offer, RunListener.NONE);
            Map<String, Future<FederationClient.Outcome>> outcomes = new TreeMap<>();
            for (ClientData client : clients) {
                outcomes.put(client.id(), parties.start(engine.port(), client));
            }
            TinyFederation.Models models = Parties.models(server, outcomes);

            assertThat(models)
                    .isEqualTo(TinyFederation.run(
                            model, TinyFederation.settings(participation), clients, RunListener.NONE));
            assertThat(models.personal().values()).doesNotHaveDuplicates();
            for (Future<FederationClient.Outcome> outcome : outcomes.values()) {
                assertThat(Parties.get(outcome).shared().adapter()).isEqualTo(models.global());
            }
        }
    }

    @Test
    void theOfferIsReadAsItWasWritten() throws Exception {
        RunOffer offer = TinyRun.offer(0.3);
        assertThat(RunOffer.fromJson(offer.id(), offer.toJson())).isEqualTo(offer);
    }
}
