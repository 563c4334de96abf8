package org.fedlora4j.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.federation.Recipe;
import org.fedlora4j.federation.RecipeFile;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.federation.StateFolder;
import org.fedlora4j.grpc.wire.Chunk;
import org.fedlora4j.grpc.wire.SubmitReply;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.lora.LoraConfig;
import org.fedlora4j.lora.Matrix;
import org.fedlora4j.lora.ModuleShape;
import org.fedlora4j.lora.Part;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.config.RopeScaling;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An adapter of LLaMA2-7B, rank 8 on q and v; its server has no weights, and its client doesn't train. */
@Timeout(120)
class LargeAdapterTest {
    private static final LlamaConfig LLAMA2_7B =
            new LlamaConfig(32_000, 4_096, 11_008, 32, 32, 32, 128, 1e-5, 10_000, new RopeScaling.None(), false, 4_096);
    private static final Set<Part> WHOLE = Set.of(Part.A, Part.B);

    @TempDir
    Path folder;

    @Test
    void comesAndGoesInChunks() throws Exception {
        Recipe fedAvg = RecipeFile.load("fedavg-lora");
        Recipe recipe = new Recipe(
                fedAvg.name(),
                0,
                List.of(),
                fedAvg.round(),
                List.of(),
                false,
                fedAvg.magnitudeAxis(),
                fedAvg.magnitudeStep(),
                Set.of());
        Federation.Settings settings =
                new Federation.Settings(LoraConfig.of(8, 16, "q_proj", "v_proj"), recipe, 1, 1, 1, 0, 5);
        RunOffer offer = new RunOffer("0123456789abcdef", settings, "alpaca", 256);
        SharedParts initial = new SharedParts(
                AdapterState.initial(settings.lora(), ModuleShape.of(LLAMA2_7B, settings.lora()), 5),
                recipe.magnitudeAxis());
        ExecutorService threads = Executors.newCachedThreadPool();
        EventLog log = new EventLog(line -> {}, InstantSource.system());
        GrpcEngine engine = new GrpcEngine(
                LLAMA2_7B,
                offer,
                new GrpcEngine.Settings(
                        new TreeSet<>(Set.of("a")), 1, Parties.ROUND_TIMEOUT, Parties.PHASE_TIMEOUT, 10),
                BaseWeights.of(folder.resolve("weights"), folder),
                Parties.loopback(0, ""),
                log);
        try (ServerStub stub = new ServerStub(Parties.loopback(engine.port(), "a"))) {
            Future<AdapterState> server = threads.submit(() -> {
                try (Federation federation = new Federation(LLAMA2_7B, settings, engine)) {
                    federation.run(RunListener.NONE, new StateFolder(folder.resolve("state")));
                    engine.finish(federation);
                    return federation.global();
                }
            });
            assertThat(stub.join(LLAMA2_7B.toString(), 3, "0".repeat(64)).hasRun())
                    .isTrue();
            ServerStub.Task.Train task = (ServerStub.Task.Train) stub.nextTask(offer.id(), initial);
            assertThat(task.shared()).isEqualTo(initial);

            PartValues trained = randomB(initial);
            RoundContext context = settings.context(task.stage());
            SharedUpdate update = new SharedUpdate(
                    "a",
                    context.phase(),
                    context.roundsBefore(),
                    initial,
                    3,
                    Map.of("loss", 1.0, "padding", 0.0, "tokens", 9.0),
                    trained);
            SubmitReply reply = stub.submit(offer.id(), task.stage(), task.shared(), update);
            assertThat(reply.getOutcome()).as(reply.getReason()).isEqualTo(SubmitReply.Outcome.ACCEPTED);

            ServerStub.Task.Finished finished = (ServerStub.Task.Finished) stub.nextTask(offer.id(), initial);
            assertThat(finished.shared().values(WHOLE)).isEqualTo(trained);
            assertThat(server.get(60, TimeUnit.SECONDS))
                    .isEqualTo(finished.shared().adapter());
        } finally {
            threads.shutdownNow();
        }
    }

    /** 2^18 values are 1 MiB: a matrix of 3 times that and one value is cut into four. */
    @Test
    void chunksHaveAMebibyteAtMost() {
        int columns = 3 * (1 << 18) + 1;
        float[] values = new float[columns];
        Random random = new Random(6);
        for (int i = 0; i < columns; i++) {
            values[i] = random.nextFloat();
        }
        TreeMap<String, Matrix> modules = new TreeMap<>();
        modules.put("module", Matrix.of(1, columns, values));
        TreeMap<Part, SortedMap<String, Matrix>> parts = new TreeMap<>();
        parts.put(Part.A, modules);
        PartValues whole = new PartValues(parts);
        List<Integer> sizes = new ArrayList<>();
        TensorAssembly assembly = new TensorAssembly(whole);
        for (Iterator<Chunk> chunks = Chunks.of(whole); chunks.hasNext(); ) {
            Chunk chunk = chunks.next();
            sizes.add(chunk.getData().size());
            assembly.add(chunk);
        }
        assertThat(sizes).containsExactly(1 << 20, 1 << 20, 1 << 20, 4);
        assertThat(assembly.complete()).isEqualTo(whole);
    }

    /** 32 layers of q and v, A [8, 4096] and B [4096, 8] each: 16,777,216 bytes, 134 seconds at 125,000 a second. */
    @Test
    void callsHaveTimeForAnAdapterOfSevenBillionParameters() {
        long bytes = 32L * 2 * 2 * 8 * 4_096 * 4;
        assertThat(bytes).isEqualTo(16_777_216);
        assertThat(ServerStub.deadline(bytes)).isEqualTo(Duration.ofSeconds(60 + 134));
    }

    private static PartValues randomB(SharedParts initial) {
        Random random = new Random(8);
        TreeMap<Part, SortedMap<String, Matrix>> values =
                new TreeMap<>(initial.values(WHOLE).values());
        TreeMap<String, Matrix> b = new TreeMap<>();
        initial.values(WHOLE).of(Part.B).forEach((module, zero) -> {
            Matrix matrix = Matrix.zeros(zero.rows(), zero.columns());
            for (int i = 0; i < matrix.values().length; i++) {
                matrix.values()[i] = 0.01f * random.nextFloat();
            }
            b.put(module, matrix);
        });
        values.put(Part.B, b);
        return new PartValues(values);
    }
}
