package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.TinyFederation;
import org.fedlora4j.grpc.wire.Chunk;
import org.fedlora4j.grpc.wire.SubmitReply;
import org.fedlora4j.grpc.wire.UpdateHeader;
import org.fedlora4j.grpc.wire.UpdateMessage;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.Part;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a server does with updates, good and bad. Clients a and b are asked, c is not. */
@Timeout(60)
class IncomingUpdateTest {
    /** The first adapt phase, which shares A and B: q is [2, 32] and [32, 2], v [2, 32] and [16, 2]. */
    private static final int STAGE = 1;

    private static final String Q = "model.layers.0.self_attn.q_proj";
    private static final double NORM_BOUND = 0.5;
    private static final String WEIGHTS = "0".repeat(64);

    @TempDir
    Path folder;

    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private RunOffer offer;
    private SharedParts shared;
    private Members members;
    private Coordinator coordinator;
    private Future<List<SharedUpdate>> turn;

    @BeforeEach
    void ask() throws Exception {
        offer = TinyRun.offer(1);
        shared = TinyFederation.trained(offer.settings());
        members = members("a", "b", "c");
        coordinator = coordinator(members, 2, Duration.ofSeconds(50), Duration.ofSeconds(50));
        turn = begin(STAGE);
    }

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void takesGoodUpdatesOnce() throws Exception {
        assertThat(send("b", messages("b", 7)).getOutcome()).isEqualTo(SubmitReply.Outcome.ACCEPTED);
        assertThat(send("b", messages("b", 7)).getOutcome()).isEqualTo(SubmitReply.Outcome.ACCEPTED_ALREADY);
        assertThat(turn.isDone()).isFalse();
        assertThat(send("a", messages("a", 5)).getOutcome()).isEqualTo(SubmitReply.Outcome.ACCEPTED);

        List<SharedUpdate> updates = turn.get(10, TimeUnit.SECONDS);
        assertThat(updates).extracting(SharedUpdate::clientId).containsExactly("a", "b");
        assertThat(updates).extracting(SharedUpdate::weight).containsExactly(5L, 7L);
        assertThat(updates.get(1).values()).isEqualTo(moved("b"));
        // Its answer was lost, and the server is further already.
        assertThat(send("a", messages("a", 5)).getOutcome()).isEqualTo(SubmitReply.Outcome.ACCEPTED_ALREADY);
    }

    /** What is wrong with the messages, and the reason that the client is given. */
    static Stream<Arguments> broken() {
        return Stream.of(
                chunk("an unknown part", 0, chunk -> chunk.setPart("C"), "'C', wanted one of [A, B, "),
                chunk(
                        "a private part",
                        0,
                        chunk -> chunk.setPart("B.magnitude"),
                        "part B.magnitude, wanted one of [A, B]"),
                chunk("a name of half a megabyte", 0, chunk -> chunk.setModule("m".repeat(1 << 19)), "m".repeat(400)),
                chunk("another module", 0, chunk -> chunk.setModule("lm_head"), "module 'lm_head', wanted one of ["),
                chunk(
                        "another shape",
                        0,
                        chunk -> chunk.setRows(4).setColumns(16),
                        "A of " + Q + ": shape [4, 16], wanted [2, 32]"),
                chunk(
                        "a huge shape",
                        0,
                        chunk -> chunk.setRows(Integer.MAX_VALUE).setColumns(Integer.MAX_VALUE),
                        "wanted [2, 32]"),
                chunk("a negative shape", 0, chunk -> chunk.setRows(-2), "shape [-2, 32], wanted [2, 32]"),
                chunk("a gap", 0, chunk -> chunk.setOffset(4), "A of " + Q + ": offset 4, wanted 0"),
                chunk("an offset beyond", 0, chunk -> chunk.setOffset(1L << 40), "offset 1099511627776, wanted 0"),
                chunk("nothing", 0, chunk -> chunk.setData(ByteString.EMPTY), "0 bytes, wanted some of the 256 left"),
                chunk(
                        "too much",
                        0,
                        chunk -> chunk.setData(ByteString.copyFrom(new byte[260])),
                        "260 bytes, wanted some of the 256 left"),
                chunk(
                        "half a number",
                        0,
                        chunk -> chunk.setData(ByteString.copyFrom(new byte[254])),
                        "254 bytes, wanted some of the 256 left"),
                chunk(
                        "a number that is none",
                        0,
                        chunk -> chunk.setData(ByteString.copyFrom(infinite())),
                        "A of " + Q + ": holds a value that is not finite"),
                whole("one twice", list -> list.add(list.get(1)), "A of " + Q + ": offset 0, wanted 256"),
                whole("one too few", list -> list.remove(list.size() - 1), ": 0 values, wanted 32"),
                whole("a second header", list -> list.add(list.get(0)), "a message without a chunk"),
                header(
                        "an unknown metric",
                        header -> header.putMetrics("secret", 1),
                        "metrics [loss, padding, secret, tokens], wanted [loss, padding, tokens]"),
                header("a metric too few", header -> header.removeMetrics("loss"), "metrics [padding, tokens], wanted"),
                header(
                        "a metric that is no number",
                        header -> header.putMetrics("loss", Double.NaN),
                        "loss: NaN, wanted a finite number"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("broken")
    void refusesWhatIsBroken(String what, UnaryOperator<List<UpdateMessage>> breaking, String reason) throws Exception {
        SubmitReply reply = send("a", breaking.apply(messages("a", 5)));

        assertThat(reply.getOutcome()).as(what).isEqualTo(SubmitReply.Outcome.REFUSED);
        assertThat(reply.getReason()).contains(reason).hasSizeLessThan(510);
        assertThat(log).allSatisfy(line -> assertThat(line).hasSizeLessThan(1_000));
        assertThat(log).anySatisfy(line -> assertThat(line).contains("\"event\":\"refused\"", "\"client\":\"a\""));
        // It would send the same again, so it isn't asked again; and without it the round has too few.
        assertThat(send("a", messages("a", 5)).getReason()).isEqualTo(reply.getReason());
        assertThatThrownBy(() -> turn.get(10, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("updates refused {a=")
                .hasMessageContaining("wanted at least 2 in all, with 0 here and 1 to come");
    }

    /** What isn't of this phase is refused, and the client may still send what is. */
    static Stream<Arguments> misplaced() {
        return Stream.of(
                header("another run's", header -> header.setRun("ffff"), "run 'ffff', wanted 0123456789abcdef"),
                header(
                        "of a phase before",
                        header -> header.setStage(0),
                        "phase 0 of the run, which is over, wanted 1"),
                header("of a phase to come", header -> header.setStage(2), "phase 2 of the run, which has not begun"),
                header("from other shared parts", header -> header.setShared("0"), "trained from other shared parts"),
                header("of more weight", header -> header.setWeight(6), "weight 6, wanted the number of examples that"),
                whole("without a header", list -> list.remove(0), "a message without a header, wanted it first"),
                whole("without anything", List::clear, "an update without a header"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("misplaced")
    void refusesWhatIsMisplaced(String what, UnaryOperator<List<UpdateMessage>> change, String reason) {
        SubmitReply reply = send("a", change.apply(messages("a", 5)));
        assertThat(reply.getOutcome()).as(what).isEqualTo(SubmitReply.Outcome.REFUSED);
        assertThat(reply.getReason()).contains(reason);
        assertThat(send("a", messages("a", 5)).getOutcome()).isEqualTo(SubmitReply.Outcome.ACCEPTED);
    }

    @Test
    void refusesWhoIsNotAsked() throws Exception {
        members.join("c", 5, WEIGHTS);
        assertThat(send("c", messages("c", 5)).getReason())
                .isEqualTo("not among the clients of round 1/2, phase adapt");
        assertThat(members.join("d", 5, WEIGHTS).orElseThrow()).contains("client 'd' is unknown");
        assertThat(members.join("a", 6, WEIGHTS).orElseThrow())
                .isEqualTo("client a has 6 examples, wanted the 5 that it" + " joined with");
    }

    /** The adapter's norm is that of A and B together; half of it may be moved, and this moves by 0.6 of it. */
    @Test
    void refusesWhatMovesTooFar() {
        double norm = 0;
        for (SortedMap<String, Matrix> modules :
                shared.values(Set.of(Part.A, Part.B)).values().values()) {
            for (Matrix matrix : modules.values()) {
                for (float value : matrix.values()) {
                    norm += (double) value * value;
                }
            }
        }
        float far = (float) (0.6 * Math.sqrt(norm));
        PartValues values = moved("a");
        values.of(Part.B, Q).values()[3] =
                shared.values(Set.of(Part.B)).of(Part.B, Q).values()[3] + far;
        SubmitReply reply = send("a", messages(STAGE, values, 5));
        assertThat(reply.getReason()).startsWith("moved by ").contains("norm-bound times the adapter's norm, 0.5 * ");
    }

    @Test
    void refusesADirectionThatIsNoUnitVector() throws Exception {
        Turn direction = new Turn(offer.settings().context(2), shared, new TreeSet<>(List.of("a")), 0);
        PartValues unit = shared.values(Set.of(Part.A_DIRECTION));
        UpdateHeader header = messages("a", 5).get(0).getHeader();
        assertThat(direction.update("a", header, unit, NORM_BOUND).weight()).isEqualTo(5);

        PartValues longer = TinyFederation.copy(unit);
        longer.of(Part.A_DIRECTION, Q).values()[0] += 0.1f;
        assertThatThrownBy(() -> direction.update("a", header, longer, NORM_BOUND))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("A.direction of " + Q + ": a vector of length ");
    }

    /** The connection breaks in the middle, and the client sends all again. */
    @Test
    void halfAnUpdateIsNone() {
        List<UpdateMessage> all = messages("a", 5);
        IncomingUpdate half = new IncomingUpdate(coordinator, "a", NORM_BOUND, new Reply());
        all.subList(0, 3).forEach(half::onNext);
        half.onError(new IOException("cut"));

        assertThat(send("a", all).getOutcome()).isEqualTo(SubmitReply.Outcome.ACCEPTED);
    }

    /** B is silent for longer than is waited; its update comes when the phase is over. */
    @Test
    void goesOnWithoutTheLostAndRefusesTheLate() throws Exception {
        coordinator = coordinator(members("a", "b"), 1, Duration.ofMillis(300), Duration.ofSeconds(50));
        turn = begin(STAGE);
        Reply lateReply = new Reply();
        IncomingUpdate late = new IncomingUpdate(coordinator, "b", NORM_BOUND, lateReply);
        late.onNext(messages("b", 7).get(0));
        assertThat(send("a", messages("a", 5)).getOutcome()).isEqualTo(SubmitReply.Outcome.ACCEPTED);

        assertThat(turn.get(10, TimeUnit.SECONDS))
                .extracting(SharedUpdate::clientId)
                .containsExactly("a");
        messages("b", 7).stream().skip(1).forEach(late::onNext);
        late.onCompleted();
        assertThat(lateReply.only().getReason()).isEqualTo("round 1/2, phase adapt is over");
        SubmitReply reply = send("b", messages("b", 7));
        assertThat(reply.getReason()).isEqualTo("phase 1 of the run, which is over, wanted 2");
        assertThat(log)
                .anySatisfy(line -> assertThat(line).contains("\"event\":\"waiting\"", "\"for\":[\"b\"]"))
                .anySatisfy(line -> assertThat(line).contains("\"event\":\"went on without\"", "[\"b\"]"));
    }

    /** Ten times as long as a silent client is waited for. */
    @Test
    void whoTrainsIsNotLost() throws Exception {
        coordinator = coordinator(members("a", "b"), 1, Duration.ofMillis(300), Duration.ofSeconds(50));
        turn = begin(STAGE);
        send("a", messages("a", 5));
        for (int beat = 0; beat < 30; beat++) {
            coordinator.progress("b", STAGE, 1);
            assertThat(turn.isDone()).isFalse();
            Thread.sleep(100);
        }
        assertThat(send("b", messages("b", 7)).getOutcome()).isEqualTo(SubmitReply.Outcome.ACCEPTED);
        assertThat(turn.get(10, TimeUnit.SECONDS)).hasSize(2);
    }

    /** B fetches its task and then says again and again that it trains. */
    @Test
    void whoOnlyReportsIsLostForThePhase() throws Exception {
        coordinator = coordinator(members("a", "b"), 1, Duration.ofSeconds(50), Duration.ofSeconds(1));
        turn = begin(STAGE);
        coordinator.next("b", Duration.ofSeconds(10));
        send("a", messages("a", 5));
        assertThat(turn.isDone()).isFalse();
        while (!turn.isDone()) {
            coordinator.progress("b", STAGE, 1);
            Thread.sleep(20);
        }
        assertThat(turn.get()).extracting(SharedUpdate::clientId).containsExactly("a");
        assertThat(send("b", messages("b", 7)).getReason()).isEqualTo("phase 1 of the run, which is over, wanted 2");
        assertThat(log)
                .anySatisfy(line -> assertThat(line).contains("\"event\":\"late\",\"client\":\"b\""))
                .anySatisfy(line -> assertThat(line).contains("\"event\":\"went on without\"", "[\"b\"]"));
    }

    /** A joined with 5 examples, and b with 7. */
    private Members members(String... clients) throws IOException {
        Members members = new Members(
                new TreeSet<>(List.of(clients)), BaseWeights.of(folder.resolve("weights"), folder), events());
        assertThat(members.join("a", 5, WEIGHTS)).isEmpty();
        assertThat(members.join("b", 7, WEIGHTS)).isEmpty();
        return members;
    }

    private Coordinator coordinator(Members members, int minClients, Duration roundTimeout, Duration phaseTimeout) {
        GrpcEngine.Settings settings =
                new GrpcEngine.Settings(members.clients(), minClients, roundTimeout, phaseTimeout, NORM_BOUND);
        return new Coordinator(offer, settings, members, events());
    }

    private EventLog events() {
        return new EventLog(log::add, InstantSource.system());
    }

    private Future<List<SharedUpdate>> begin(int stage) throws InterruptedException {
        RoundContext context = offer.settings().context(stage);
        SortedSet<String> asked = new TreeSet<>(List.of("a", "b"));
        Coordinator now = coordinator;
        Future<List<SharedUpdate>> result = threads.submit(() -> now.train(context, shared, asked, RunListener.NONE));
        assertThat(now.next("a", Duration.ofSeconds(10))).isInstanceOf(Coordinator.Task.Train.class);
        return result;
    }

    private SubmitReply send(String client, List<UpdateMessage> messages) {
        Reply reply = new Reply();
        IncomingUpdate update = new IncomingUpdate(coordinator, client, NORM_BOUND, reply);
        messages.forEach(update::onNext);
        update.onCompleted();
        return reply.only();
    }

    private List<UpdateMessage> messages(String client, long weight) {
        return messages(STAGE, moved(client), weight);
    }

    private List<UpdateMessage> messages(int stage, PartValues values, long weight) {
        List<UpdateMessage> messages = new ArrayList<>();
        messages.add(UpdateMessage.newBuilder()
                .setHeader(UpdateHeader.newBuilder()
                        .setRun(offer.id())
                        .setStage(stage)
                        .setShared(shared.digest())
                        .setWeight(weight)
                        .putAllMetrics(Map.of("loss", 2.5, "padding", 1.0, "tokens", 20.0)))
                .build());
        Chunks.of(values)
                .forEachRemaining(chunk ->
                        messages.add(UpdateMessage.newBuilder().setChunk(chunk).build()));
        return messages;
    }

    /** The shared A and B, each value a little off. */
    private PartValues moved(String client) {
        return TinyFederation.moved(shared.values(Set.of(Part.A, Part.B)), client.hashCode());
    }

    /** 64 times positive infinity, little-endian. */
    private static byte[] infinite() {
        byte[] bytes = new byte[256];
        for (int i = 0; i < bytes.length; i += 4) {
            bytes[i + 2] = (byte) 0x80;
            bytes[i + 3] = 0x7f;
        }
        return bytes;
    }

    private static Arguments whole(String name, Consumer<List<UpdateMessage>> change, String reason) {
        UnaryOperator<List<UpdateMessage>> changed = messages -> {
            List<UpdateMessage> copy = new ArrayList<>(messages);
            change.accept(copy);
            return copy;
        };
        return Arguments.of(name, changed, reason);
    }

    private static Arguments chunk(String name, int index, UnaryOperator<Chunk.Builder> change, String reason) {
        return whole(
                name,
                list -> list.set(
                        1 + index,
                        UpdateMessage.newBuilder()
                                .setChunk(change.apply(list.get(1 + index).getChunk().toBuilder()))
                                .build()),
                reason);
    }

    private static Arguments header(String name, UnaryOperator<UpdateHeader.Builder> change, String reason) {
        return whole(
                name,
                list -> list.set(
                        0,
                        UpdateMessage.newBuilder()
                                .setHeader(change.apply(list.get(0).getHeader().toBuilder()))
                                .build()),
                reason);
    }

    private static final class Reply implements StreamObserver<SubmitReply> {
        private final List<SubmitReply> replies = new ArrayList<>();

        @Override
        public void onNext(SubmitReply reply) {
            replies.add(reply);
        }

        @Override
        public void onError(Throwable failure) {
            throw new IllegalStateException(failure);
        }

        @Override
        public void onCompleted() {
            assertThat(replies).hasSize(1);
        }

        SubmitReply only() {
            assertThat(replies).hasSize(1);
            return replies.get(0);
        }
    }
}
