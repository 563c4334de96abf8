package org.fedlora4j.grpc;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.federation.ClientData;
import org.fedlora4j.federation.PartValues;
import org.fedlora4j.federation.SharedParts;
import org.fedlora4j.federation.SharedUpdate;
import org.fedlora4j.grpc.wire.Chunk;
import org.fedlora4j.grpc.wire.JoinReply;
import org.fedlora4j.grpc.wire.JoinRequest;
import org.fedlora4j.grpc.wire.ProgressReport;
import org.fedlora4j.grpc.wire.SubmitReply;
import org.fedlora4j.grpc.wire.TaskMessage;
import org.fedlora4j.grpc.wire.TaskRequest;
import org.fedlora4j.grpc.wire.UpdateHeader;
import org.fedlora4j.grpc.wire.UpdateMessage;

/** A client's side of the calls. A call that fails throws {@link io.grpc.StatusRuntimeException}. */
final class ServerStub implements AutoCloseable {
    /**
     * What a call may take besides its payload, and the slowest connection that its payload is sized for, in bytes a second:
     * one of 1 Mbit/s. LLaMA2-7B's adapter of rank 8 on q and v has 16.8 MB, which makes 194 seconds.
     */
    private static final Duration CALL = Duration.ofSeconds(60);

    private static final long SLOWEST = 125_000;

    private final ManagedChannel connection;
    private final Channel channel;

    ServerStub(Endpoint server) throws IOException {
        server.security().requireAllowed(server.host());
        this.connection = NettyChannelBuilder.forAddress(
                        server.host(), server.port(), server.security().forClient())
                .maxInboundMessageSize(Wire.LARGEST_MESSAGE)
                .keepAliveTime(30, TimeUnit.SECONDS)
                .keepAliveTimeout(20, TimeUnit.SECONDS)
                .keepAliveWithoutCalls(true)
                .build();
        this.channel = server.security() instanceof Security.Plaintext plaintext
                ? ClientInterceptors.intercept(
                        connection, MetadataUtils.newAttachHeadersInterceptor(header(plaintext.clientId())))
                : connection;
    }

    /** What is done when a task is there, or none. */
    sealed interface Task {
        record Wait() implements Task {}

        record Train(int stage, SharedParts shared) implements Task {}

        record Finished(SharedParts shared) implements Task {}
    }

    static Duration deadline(long bytes) {
        return CALL.plusSeconds(bytes / SLOWEST);
    }

    /** @param weights their digest, empty where there are no examples yet */
    JoinReply join(String model, long examples, String weights) {
        JoinRequest request = JoinRequest.newBuilder()
                .setProtocol(Wire.PROTOCOL)
                .setModel(model)
                .setExamples(examples)
                .setWeights(weights)
                .build();
        return ClientCalls.blockingUnaryCall(channel, Wire.JOIN, options(CALL), request);
    }

    /**
     * Waits for a task, and takes the shared parts that come with it.
     *
     * @param initial a global model, for the shapes
     */
    Task nextTask(String run, SharedParts initial) {
        PartValues shapes = initial.values(FederationService.MATRICES);
        Duration longest = deadline(shapes.bytes(ClientData.FULL_RANK)).plus(FederationService.LONG_POLL);
        try (Context.CancellableContext call = Context.current().withCancellation()) {
            return call.call(() -> {
                Iterator<TaskMessage> messages = ClientCalls.blockingServerStreamingCall(
                        channel,
                        Wire.NEXT_TASK,
                        options(longest),
                        TaskRequest.newBuilder().setRun(run).build());
                return task(messages, initial, shapes);
            });
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static Task task(Iterator<TaskMessage> messages, SharedParts initial, PartValues shapes) {
        if (!messages.hasNext()) {
            throw Status.UNAVAILABLE.withDescription("no answer about a task").asRuntimeException();
        }
        TaskMessage answer = messages.next();
        switch (answer.getAnswerCase()) {
            case TRAIN -> {
                SharedParts shared =
                        shared(messages, initial, shapes, answer.getTrain().getShared());
                return new Task.Train(answer.getTrain().getStage(), shared);
            }
            case FINISHED -> {
                return new Task.Finished(
                        shared(messages, initial, shapes, answer.getFinished().getShared()));
            }
            case WAIT -> {
                return new Task.Wait();
            }
            case REFUSED ->
                throw new BadInputException(
                        "the server refused: " + answer.getRefused().getReason());
            default ->
                throw new BadInputException("the server's answer: " + answer.getAnswerCase() + ", wanted a task");
        }
    }

    private static SharedParts shared(
            Iterator<TaskMessage> messages, SharedParts initial, PartValues shapes, String digest) {
        TensorAssembly tensors = new TensorAssembly(shapes);
        while (messages.hasNext()) {
            tensors.add(messages.next().getChunk());
        }
        SharedParts shared = initial.with(tensors.complete());
        if (!shared.digest().equals(digest)) {
            throw new BadInputException("the server's shared parts: SHA-256 " + shared.digest() + ", wanted " + digest);
        }
        return shared;
    }

    /** Sends an update, no faster than the connection takes it. */
    SubmitReply submit(String run, int stage, SharedParts shared, SharedUpdate update) throws IOException {
        BlockingClientCall<UpdateMessage, SubmitReply> call = ClientCalls.blockingClientStreamingCall(
                channel, Wire.SUBMIT, options(deadline(update.values().bytes(ClientData.FULL_RANK))));
        UpdateHeader header = UpdateHeader.newBuilder()
                .setRun(run)
                .setStage(stage)
                .setShared(shared.digest())
                .setWeight(update.weight())
                .putAllMetrics(update.metrics())
                .build();
        try {
            boolean wanted =
                    call.write(UpdateMessage.newBuilder().setHeader(header).build());
            Iterator<Chunk> chunks = Chunks.of(update.values());
            // A server that needs no more answers early.
            while (wanted && chunks.hasNext()) {
                wanted = call.write(
                        UpdateMessage.newBuilder().setChunk(chunks.next()).build());
            }
            call.halfClose();
            SubmitReply reply = call.read();
            if (reply == null) {
                throw Status.UNAVAILABLE
                        .withDescription("no answer to an update")
                        .asRuntimeException();
            }
            return reply;
        } catch (StatusException e) {
            throw e.getStatus().asRuntimeException();
        } catch (InterruptedException e) {
            call.cancel("interrupted", e);
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while sending an update");
        }
    }

    void progress(String run, int stage, int step) {
        ProgressReport report = ProgressReport.newBuilder()
                .setRun(run)
                .setStage(stage)
                .setStep(step)
                .build();
        ClientCalls.blockingUnaryCall(channel, Wire.PROGRESS, options(CALL), report);
    }

    @Override
    public void close() {
        connection.shutdownNow();
    }

    private static CallOptions options(Duration deadline) {
        return CallOptions.DEFAULT.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static Metadata header(String client) {
        Metadata header = new Metadata();
        header.put(Identity.HEADER, client);
        return header;
    }
}
