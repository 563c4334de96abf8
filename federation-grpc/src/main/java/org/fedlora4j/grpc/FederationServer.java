package org.fedlora4j.grpc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.function.Consumer;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.StateFolder;
import org.fedlora4j.lora.PeftAdapter;
import org.fedlora4j.model.config.LlamaConfig;
import org.jspecify.annotations.Nullable;

/**
 * A federation's server. Its folder:
 *
 * <pre>
 *   run-id                 of the run, by which clients know it again
 *   weights                that clients must have, and who had them first, see {@link BaseWeights}
 *   state/                 what it goes on from when it is started again
 *   server.jsonl           what happened
 *   adapters/global        the result, in PEFT's format
 * </pre>
 */
public final class FederationServer {
    private FederationServer() {}

    /**
     * Runs to the end, or goes on from where an earlier server of the same folder stopped.
     *
     * @param shown is given each line of the log too
     */
    public static void run(ServerSettings settings, Consumer<String> shown) throws IOException {
        Path output = settings.output();
        LlamaConfig model = LlamaConfig.read(settings.model().resolve("config.json"));
        RunOffer offer = new RunOffer(runId(output), settings.run(), settings.template(), settings.maxTokens());
        Path logFile = output.resolve("server.jsonl");
        EventLog log = EventLog.to(logFile, shown);
        RoundLog rounds = new RoundLog(log, logFile);
        BaseWeights weights = BaseWeights.of(output.resolve("weights"), settings.model());
        GrpcEngine engine = new GrpcEngine(model, offer, settings.clients(), weights, settings.endpoint(), log);
        try (Federation federation = new Federation(model, offer.settings(), engine);
                StatusServer status = statusServer(settings, engine, rounds, log)) {
            federation.run(rounds, new StateFolder(output.resolve("state")));
            Path global = output.resolve("adapters").resolve("global");
            AtomicFiles.deleteRecursively(global);
            PeftAdapter.write(
                    federation.global(),
                    offer.settings().recipe().magnitudeAxis(),
                    global,
                    settings.model().toString());
            engine.finish(federation);
        }
    }

    private static @Nullable StatusServer statusServer(
            ServerSettings settings, GrpcEngine engine, RoundLog rounds, EventLog log) throws IOException {
        if (settings.status().isEmpty()) {
            return null;
        }
        Endpoint endpoint = settings.status().get();
        StatusServer server = new StatusServer(endpoint, () -> engine.status().with(rounds.curve()), log::counts);
        log.event("status page", "url", "http://" + endpoint.host() + ":" + server.port() + "/");
        return server;
    }

    private static String runId(Path output) throws IOException {
        Path file = output.resolve("run-id");
        if (!Files.exists(file)) {
            byte[] id = new byte[8];
            new SecureRandom().nextBytes(id);
            AtomicFiles.writeString(file, HexFormat.of().formatHex(id) + "\n");
        }
        return Files.readString(file).strip();
    }
}
