package org.fedlora4j.grpc;

import io.grpc.Context;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;
import org.fedlora4j.common.FileProblems;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.grpc.wire.Chunk;
import org.fedlora4j.grpc.wire.Finished;
import org.fedlora4j.grpc.wire.JoinReply;
import org.fedlora4j.grpc.wire.JoinRequest;
import org.fedlora4j.grpc.wire.ProgressReply;
import org.fedlora4j.grpc.wire.ProgressReport;
import org.fedlora4j.grpc.wire.Refusal;
import org.fedlora4j.grpc.wire.Run;
import org.fedlora4j.grpc.wire.SubmitReply;
import org.fedlora4j.grpc.wire.TaskMessage;
import org.fedlora4j.grpc.wire.TaskRequest;
import org.fedlora4j.grpc.wire.Train;
import org.fedlora4j.grpc.wire.UpdateMessage;
import org.fedlora4j.grpc.wire.Wait;
import org.fedlora4j.lora.Part;

/** The server's side of the calls. Each runs on a thread of its own and may wait. */
final class FederationService {
    /** How long a client without a task is kept waiting for one. */
    static final Duration LONG_POLL = Duration.ofSeconds(20);

    private static final long FULL_BUFFER_MILLIS = 5;

    private static final Status NOT_JOINED =
            Status.FAILED_PRECONDITION.withDescription("not joined, wanted that first");

    /** What is sent to clients. */
    static final Set<Part> MATRICES = Set.of(Part.A, Part.B);

    private final Coordinator coordinator;
    private final Members members;
    private final RunOffer offer;
    private final String model;
    private final double normBound;
    private final EventLog log;

    /** @param model the sizes of the server's model, in words */
    FederationService(
            Coordinator coordinator, Members members, RunOffer offer, String model, double normBound, EventLog log) {
        this.coordinator = coordinator;
        this.members = members;
        this.offer = offer;
        this.model = model;
        this.normBound = normBound;
        this.log = log;
    }

    ServerServiceDefinition definition() {
        return ServerServiceDefinition.builder(Wire.SERVICE)
                .addMethod(Wire.JOIN, ServerCalls.asyncUnaryCall(this::join))
                .addMethod(Wire.NEXT_TASK, ServerCalls.asyncServerStreamingCall(this::nextTask))
                .addMethod(Wire.SUBMIT, ServerCalls.asyncClientStreamingCall(this::submit))
                .addMethod(Wire.PROGRESS, ServerCalls.asyncUnaryCall(this::progress))
                .build();
    }

    private void join(JoinRequest request, StreamObserver<JoinReply> replies) {
        Optional<String> problem;
        try {
            problem = problem(caller(), request).map(Submissions::shortened);
        } catch (IOException e) {
            String reason = FileProblems.describe(e);
            log.event("warning", "message", reason);
            replies.onError(Status.UNAVAILABLE.withDescription(reason).asRuntimeException());
            return;
        }
        JoinReply.Builder reply = JoinReply.newBuilder();
        if (problem.isPresent()) {
            log.event("refused to join", "client", caller(), "reason", problem.get());
            reply.setRefused(Refusal.newBuilder().setReason(problem.get()));
        } else {
            reply.setRun(Run.newBuilder().setId(offer.id()).setSettings(offer.toJson()));
        }
        replies.onNext(reply.build());
        replies.onCompleted();
    }

    private Optional<String> problem(String client, JoinRequest request) throws IOException {
        if (request.getProtocol() != Wire.PROTOCOL) {
            return Optional.of("protocol " + request.getProtocol() + ", wanted the server's, " + Wire.PROTOCOL);
        }
        if (!request.getModel().equals(model)) {
            return Optional.of("model " + request.getModel() + ", wanted the server's, " + model);
        }
        if (request.getExamples() < 0) {
            return Optional.of("examples: " + request.getExamples() + ", wanted at least 1");
        }
        if (request.getExamples() == 0) {
            // It asks what the run is like, and joins when it has made its examples.
            return members.stranger(client);
        }
        return members.join(client, request.getExamples(), request.getWeights());
    }

    private void nextTask(TaskRequest request, StreamObserver<TaskMessage> replies) {
        String client = caller();
        ServerCallStreamObserver<TaskMessage> call = (ServerCallStreamObserver<TaskMessage>) replies;
        try {
            if (!request.getRun().equals(offer.id())) {
                call.onNext(refused(Submissions.shortened("run '" + request.getRun() + "', wanted " + offer.id())));
                call.onCompleted();
            } else if (!members.hasJoined(client)) {
                call.onError(NOT_JOINED.asRuntimeException());
            } else {
                Coordinator.Task task = coordinator.next(client, LONG_POLL);
                if (answer(task, call)) {
                    call.onCompleted();
                    if (task instanceof Coordinator.Task.Finished) {
                        coordinator.told(client);
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            call.onError(Status.UNAVAILABLE.withDescription("the server stops").asRuntimeException());
        }
    }

    /** Whether all was sent. */
    private static boolean answer(Coordinator.Task task, ServerCallStreamObserver<TaskMessage> call)
            throws InterruptedException {
        if (task instanceof Coordinator.Task.Train train) {
            call.onNext(TaskMessage.newBuilder()
                    .setTrain(Train.newBuilder().setStage(train.stage()).setShared(train.digest()))
                    .build());
            return send(train.shared(), call);
        }
        if (task instanceof Coordinator.Task.Finished finished) {
            call.onNext(TaskMessage.newBuilder()
                    .setFinished(Finished.newBuilder().setShared(finished.digest()))
                    .build());
            return send(finished.shared(), call);
        }
        call.onNext(TaskMessage.newBuilder().setWait(Wait.getDefaultInstance()).build());
        return true;
    }

    /** No faster than the client takes it, so that one slow connection doesn't fill the memory. */
    private static boolean send(SharedParts shared, ServerCallStreamObserver<TaskMessage> call)
            throws InterruptedException {
        Iterator<Chunk> chunks = Chunks.of(shared.values(MATRICES));
        while (chunks.hasNext()) {
            while (!call.isReady()) {
                if (Context.current().isCancelled()) {
                    return false;
                }
                Thread.sleep(FULL_BUFFER_MILLIS);
            }
            call.onNext(TaskMessage.newBuilder().setChunk(chunks.next()).build());
        }
        return true;
    }

    private StreamObserver<UpdateMessage> submit(StreamObserver<SubmitReply> replies) {
        return new IncomingUpdate(coordinator, caller(), normBound, replies);
    }

    private void progress(ProgressReport report, StreamObserver<ProgressReply> replies) {
        if (report.getRun().equals(offer.id())) {
            coordinator.progress(caller(), report.getStage(), report.getStep());
        }
        replies.onNext(ProgressReply.getDefaultInstance());
        replies.onCompleted();
    }

    private static TaskMessage refused(String reason) {
        return TaskMessage.newBuilder()
                .setRefused(Refusal.newBuilder().setReason(reason))
                .build();
    }

    private static String caller() {
        return Identity.CLIENT.get();
    }
}
