package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Future;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.Example;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.InProcessEngine;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.federation.PhaseResult;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.MagnitudeAxis;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.LanguageModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every byte that clients send in a full run is recorded, on plaintext connections. No private magnitude and no training
 * text is among them, while all shared values are found by the same search.
 */
@Timeout(180)
class WireProofTest {
    /** So many values in a row, bit for bit, are no coincidence. */
    private static final int FLOATS = 4;

    /** As many tokens in a row. */
    private static final int TOKENS = 4;

    @TempDir
    Path folder;

    @Test
    void nothingPrivateIsOnTheWire() throws Exception {
        List<ClientData> clients = TinyRun.clients(2);
        RunOffer offer = TinyRun.offer(1);
        List<PartValues> shared = Collections.synchronizedList(new ArrayList<>());
        List<byte[]> wire;
        Map<String, AdapterState> own = new TreeMap<>();
        try (LanguageModel model = TinyFederation.open(folder.resolve("model"));
                Parties parties = new Parties(folder)) {
            GrpcEngine engine = parties.engine(offer, clients, 2, Parties.ROUND_TIMEOUT, Parties.loopback(0, ""));
            try (RecordingProxy proxy = new RecordingProxy(engine.port())) {
                Future<AdapterState> server = parties.serve(engine, offer, new RunListener() {
                    @Override
                    public void updateSent(RoundContext context, SharedUpdate update) {
                        shared.add(update.values());
                    }
                });
                Map<String, Future<FederationClient.Outcome>> outcomes = new TreeMap<>();
                clients.forEach(client -> outcomes.put(client.id(), parties.start(proxy.port(), client)));
                TinyFederation.Models models = Parties.models(server, outcomes);
                own.putAll(models.personal());
                wire = proxy.sent();
            }
            List<float[]> kept = privateValues(model, clients);

            // The search finds what is there: rows of all that was shared.
            assertThat(shared).hasSize(2 * (1 + 2 * 3));
            int found = 0;
            for (PartValues values : shared) {
                for (Map.Entry<Part, ? extends Map<String, Matrix>> part :
                        values.values().entrySet()) {
                    for (Matrix matrix : part.getValue().values()) {
                        assertThat(isThere(wire, matrix.values()))
                                .as(part.getKey().toString())
                                .isTrue();
                        found++;
                    }
                }
            }
            assertThat(found).isEqualTo(2 * (8 + 2 * (8 + 4)));

            // And nothing of what is kept: factors and magnitudes, after every phase and at the end.
            own.forEach((id, adapter) -> magnitudes(adapter).forEach(kept::add));
            assertThat(kept).hasSizeGreaterThan(2 * 2 * 4);
            for (float[] values : kept) {
                assertThat(isThere(wire, values)).as(List.of(values).toString()).isFalse();
            }
        }
        assertNoText(wire, clients);
    }

    /** Tokens and labels, as numbers of four bytes of either order or as protobuf packs them. */
    private static void assertNoText(List<byte[]> wire, List<ClientData> clients) {
        for (ClientData client : clients) {
            for (Example example : client.train()) {
                for (int begin = 0; begin + TOKENS <= example.ids().length; begin++) {
                    for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
                        ByteBuffer bytes = ByteBuffer.allocate(4 * TOKENS).order(order);
                        bytes.asIntBuffer().put(example.ids(), begin, TOKENS);
                        assertThat(contains(wire, bytes.array())).isFalse();
                    }
                    // Below 128 a packed number is its byte; longer, because single bytes coincide more easily.
                    if (begin + 2 * TOKENS <= example.ids().length) {
                        byte[] packed = new byte[2 * TOKENS];
                        for (int i = 0; i < packed.length; i++) {
                            packed[i] = (byte) example.ids()[begin + i];
                        }
                        assertThat(contains(wire, packed)).isFalse();
                    }
                }
            }
        }
    }

    /** All that the clients of the same run in one process keep, after every phase: runs of values that aren't trivial. */
    private static List<float[]> privateValues(LanguageModel model, List<ClientData> clients) throws Exception {
        List<float[]> values = new ArrayList<>();
        Federation.Settings settings = TinyFederation.settings(1);
        InProcessEngine engine = new InProcessEngine(model, settings, clients);
        try (Federation federation = new Federation(TinyFederation.MODEL, settings, engine)) {
            federation.run(new RunListener() {
                @Override
                public void phaseEnded(RoundContext context, PhaseResult result) {
                    engine.privateParts()
                            .values()
                            .forEach(own -> own.values()
                                    .values()
                                    .forEach(modules ->
                                            modules.values().forEach(matrix -> values.add(matrix.values()))));
                }
            });
        }
        return values;
    }

    private static List<float[]> magnitudes(AdapterState adapter) {
        return new SharedParts(adapter, MagnitudeAxis.ROW)
                .values(Set.of(Part.B_MAGNITUDE)).of(Part.B_MAGNITUDE).values().stream()
                        .map(Matrix::values)
                        .toList();
    }

    /** Whether any run of {@link #FLOATS} of the values was sent, in either order of bytes or as text. */
    private static boolean isThere(List<byte[]> wire, float[] values) {
        for (int begin = 0; begin + FLOATS <= values.length; begin += FLOATS) {
            for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
                ByteBuffer bytes = ByteBuffer.allocate(4 * FLOATS).order(order);
                bytes.asFloatBuffer().put(values, begin, FLOATS);
                if (contains(wire, bytes.array())) {
                    return true;
                }
            }
            if (contains(wire, Float.toString(values[begin]).getBytes(StandardCharsets.US_ASCII))
                    && Float.toString(values[begin]).length() > 6) {
                return true;
            }
        }
        return false;
    }

    private static boolean contains(List<byte[]> wire, byte[] pattern) {
        return wire.stream().anyMatch(stream -> indexOf(stream, pattern) >= 0);
    }

    private static int indexOf(byte[] stream, byte[] pattern) {
        for (int begin = 0; begin + pattern.length <= stream.length; begin++) {
            int same = 0;
            while (same < pattern.length && stream[begin + same] == pattern[same]) {
                same++;
            }
            if (same == pattern.length) {
                return begin;
            }
        }
        return -1;
    }
}
