package org.fedlora4j.grpc;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.ClientSession;
import org.fedlora4j.federation.Federation;
import org.fedlora4j.federation.RoundContext;
import org.fedlora4j.federation.RunListener;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.grpc.wire.JoinReply;
import org.fedlora4j.grpc.wire.SubmitReply;
import org.fedlora4j.lora.AdapterState;
import org.fedlora4j.model.LanguageModel;
import org.fedlora4j.model.config.LlamaConfig;
import org.fedlora4j.model.weights.WeightsDigest;

/**
 * One party of a federation: it calls the server, trains what it is asked for, and sends what is shared. Whether server or
 * client is killed or the connection breaks, it goes on where it was.
 */
public final class FederationClient implements AutoCloseable {
    private final Endpoint server;
    private final String model;
    private final Settings settings;
    private final EventLog log;
    private final AuditLog audit;
    private final ServerStub stub;
    private final Retry retry;

    /**
     * How a client behaves.
     *
     * @param policy what may leave it
     * @param firstPause before a failed call is tried again; it doubles with each failure in a row, up to 30 seconds
     * @param patience how long the server may be away
     * @param heartbeat how often a training client reports that it is alive
     */
    public record Settings(Policy policy, Duration firstPause, Duration patience, Duration heartbeat) {
        /** Tries again for an hour, and reports every ten seconds. */
        public static Settings of(Policy policy) {
            return new Settings(policy, Duration.ofMillis(500), Duration.ofHours(1), Duration.ofSeconds(10));
        }
    }

    /**
     * What a run came to.
     *
     * @param shared the global model
     * @param own the client's own
     */
    public record Outcome(SharedParts shared, AdapterState own) {}

    /**
     * A client that has not called yet.
     *
     * @param model of the client's own copy of the model
     * @param audit is told what leaves
     */
    public FederationClient(Endpoint server, LlamaConfig model, Settings settings, EventLog log, EventLog audit)
            throws IOException {
        this.server = server;
        this.model = model.toString();
        this.settings = settings;
        this.log = log;
        this.audit = new AuditLog(audit);
        this.stub = new ServerStub(server);
        this.retry = new Retry(server, settings.firstPause(), settings.patience(), log);
    }

    /** Asks what the run is like, so that examples can be made for it. */
    public RunOffer offer() throws IOException {
        return retry.run("join", () -> join(0, ""));
    }

    /**
     * Takes part until the run is over.
     *
     * @param offer the server's
     * @param padId of the token that pads batches
     * @param languageModel stays the caller's
     * @param data under the client's id, see {@link Security#clientId}
     * @param states where the client saves what it keeps, in a folder of the run
     * @param listener is told of the client's steps, and of each update before it leaves
     */
    public Outcome run(
            RunOffer offer, int padId, LanguageModel languageModel, ClientData data, Path states, RunListener listener)
            throws IOException {
        settings.policy().requireExamples(data.train().size());
        Federation.Settings run = offer.settings(padId);
        SharedParts initial = run.initial(languageModel.config());
        String weights = WeightsDigest.of(languageModel.folder());
        try (ClientSession session = new ClientSession(languageModel, run, data, states.resolve(offer.id()))) {
            Participation participation =
                    new Participation(offer, run, session, data.train().size(), weights, listener);
            while (true) {
                ServerStub.Task task = participation.called("next task", () -> stub.nextTask(offer.id(), initial));
                if (task instanceof ServerStub.Task.Train train) {
                    participation.train(train);
                } else if (task instanceof ServerStub.Task.Finished finished) {
                    log.event("finished");
                    return new Outcome(finished.shared(), session.model(finished.shared()));
                }
            }
        }
    }

    @Override
    public void close() {
        stub.close();
    }

    private RunOffer join(long examples, String weights) {
        JoinReply reply = stub.join(model, examples, weights);
        if (!reply.hasRun()) {
            throw new BadInputException(
                    "server " + server + " refused: " + reply.getRefused().getReason());
        }
        return RunOffer.fromJson(reply.getRun().getId(), reply.getRun().getSettings());
    }

    /** One client in one run. */
    private final class Participation {
        private final RunOffer offer;
        private final Federation.Settings run;
        private final ClientSession session;
        private final int examples;
        private final String weights;
        private final RunListener listener;

        /** Whether the server that is there knows of us; after a failure it may be another. */
        private boolean joined;

        Participation(
                RunOffer offer,
                Federation.Settings run,
                ClientSession session,
                int examples,
                String weights,
                RunListener listener) {
            this.offer = offer;
            this.run = run;
            this.session = session;
            this.examples = examples;
            this.weights = weights;
            this.listener = listener;
        }

        <T> T called(String what, Retry.Call<T> call) throws IOException {
            return retry.run(what, () -> {
                if (!joined) {
                    audit.joins(examples, weights);
                    requireSame(join(examples, weights));
                    joined = true;
                    log.event("joined", "server", server.toString(), "run", offer.id());
                }
                boolean answered = false;
                try {
                    T answer = call.call();
                    answered = true;
                    return answer;
                } finally {
                    joined = answered;
                }
            });
        }

        void train(ServerStub.Task.Train task) throws IOException {
            requireStage(task.stage());
            RoundContext context = run.context(task.stage());
            settings.policy().requireAllowed(context);
            log.event(
                    "trains", "round", context.label(), "phase", context.phase().name());
            SharedUpdate update = trained(context, task.shared());
            audit.leaves(context, update);
            listener.updateSent(context, update);
            SubmitReply reply = called("submit", () -> stub.submit(offer.id(), task.stage(), task.shared(), update));
            log.event(
                    "submitted",
                    "round",
                    context.label(),
                    "phase",
                    update.phase(),
                    "outcome",
                    reply.getOutcome().name(),
                    "reason",
                    reply.getReason());
        }

        private SharedUpdate trained(RoundContext context, SharedParts shared) throws IOException {
            Heartbeat heartbeat = new Heartbeat(context);
            ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(work -> {
                Thread thread = new Thread(work, "fedlora-heartbeat");
                thread.setDaemon(true);
                return thread;
            });
            try {
                long pause = settings.heartbeat().toMillis();
                ScheduledFuture<?> beats = timer.scheduleAtFixedRate(heartbeat::beat, 0, pause, TimeUnit.MILLISECONDS);
                SharedUpdate update = session.train(context, shared, heartbeat);
                beats.cancel(false);
                return update;
            } finally {
                timer.shutdown();
            }
        }

        private void requireStage(int stage) {
            int stages = RoundContext.stages(run.recipe(), run.rounds());
            if (stage < 0 || stage >= stages) {
                throw new BadInputException("the server asks for phase " + stage + ", wanted 0 to " + (stages - 1));
            }
        }

        private void requireSame(RunOffer again) {
            if (!again.equals(offer)) {
                throw new BadInputException(
                        "server " + server + ": has another run than before, " + again.id() + ", wanted " + offer.id());
            }
        }

        /** Tells the server, from time to time, how far the training is. */
        private final class Heartbeat implements RunListener {
            private final RoundContext context;
            private volatile int step;

            Heartbeat(RoundContext context) {
                this.context = context;
            }

            @Override
            public void clientStep(RoundContext of, String clientId, int done, double loss, long tokens) {
                step = done;
                listener.clientStep(of, clientId, done, loss, tokens);
            }

            void beat() {
                try {
                    stub.progress(offer.id(), context.stage(), step);
                } catch (StatusRuntimeException e) {
                    // The server may be away for a while; the update's own call will find out.
                    log.event("no heartbeat", "reason", e.getStatus().getCode().name());
                }
            }
        }
    }
}
