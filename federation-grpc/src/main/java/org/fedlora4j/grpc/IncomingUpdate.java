package org.fedlora4j.grpc;

import io.grpc.stub.StreamObserver;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.grpc.wire.SubmitReply;
import org.fedlora4j.grpc.wire.UpdateHeader;
import org.fedlora4j.grpc.wire.UpdateMessage;
import org.jspecify.annotations.Nullable;

/** One client's update as it arrives, message by message; nothing in it is trusted. */
final class IncomingUpdate implements StreamObserver<UpdateMessage> {
    private final Coordinator coordinator;
    private final String client;
    private final double normBound;
    private final StreamObserver<SubmitReply> replies;

    private @Nullable Open open;
    private boolean answered;

    /** An update whose header was let in. */
    private record Open(Turn turn, UpdateHeader header, TensorAssembly tensors) {}

    IncomingUpdate(Coordinator coordinator, String client, double normBound, StreamObserver<SubmitReply> replies) {
        this.coordinator = coordinator;
        this.client = client;
        this.normBound = normBound;
        this.replies = replies;
    }

    @Override
    public void onNext(UpdateMessage message) {
        if (answered) {
            return;
        }
        Open now = open;
        if (now == null) {
            begin(message);
            return;
        }
        try {
            if (!message.hasChunk()) {
                throw new BadInputException("a message without a chunk, wanted only those after the header");
            }
            now.tensors().add(message.getChunk());
            coordinator.heard(now.turn(), client);
        } catch (BadInputException e) {
            answer(coordinator.refuse(now.turn(), client, String.valueOf(e.getMessage())));
        }
    }

    /** The connection broke; the client will send the update again. */
    @Override
    public void onError(Throwable failure) {
        answered = true;
    }

    @Override
    public void onCompleted() {
        if (answered) {
            return;
        }
        Open now = open;
        if (now == null) {
            answer(refused("an update without a header, wanted one"));
            return;
        }
        try {
            answer(coordinator.accept(
                    now.turn(),
                    now.turn().update(client, now.header(), now.tensors().complete(), normBound)));
        } catch (BadInputException e) {
            answer(coordinator.refuse(now.turn(), client, String.valueOf(e.getMessage())));
        }
    }

    private void begin(UpdateMessage message) {
        if (!message.hasHeader()) {
            answer(refused("a message without a header, wanted it first"));
            return;
        }
        UpdateHeader header = message.getHeader();
        Submissions.Admission admission = coordinator.admit(client, header);
        Turn turn = admission.turn();
        if (turn == null) {
            answer(admission.reply());
            return;
        }
        open = new Open(turn, header, new TensorAssembly(turn.wanted()));
    }

    private void answer(SubmitReply reply) {
        answered = true;
        replies.onNext(reply);
        replies.onCompleted();
    }

    private static SubmitReply refused(String reason) {
        return SubmitReply.newBuilder()
                .setOutcome(SubmitReply.Outcome.REFUSED)
                .setReason(reason)
                .build();
    }
}
