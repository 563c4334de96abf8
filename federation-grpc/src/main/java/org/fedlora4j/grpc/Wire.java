package org.fedlora4j.grpc;

import com.google.protobuf.Message;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoUtils;
import org.fedlora4j.grpc.wire.JoinReply;
import org.fedlora4j.grpc.wire.JoinRequest;
import org.fedlora4j.grpc.wire.ProgressReply;
import org.fedlora4j.grpc.wire.ProgressReport;
import org.fedlora4j.grpc.wire.SubmitReply;
import org.fedlora4j.grpc.wire.TaskMessage;
import org.fedlora4j.grpc.wire.TaskRequest;
import org.fedlora4j.grpc.wire.UpdateMessage;

/** The calls of {@code federation.proto}. */
final class Wire {
    /** Changes when server and clients of different versions no longer understand each other. */
    static final int PROTOCOL = 1;

    /** The largest piece of a tensor in one message, in bytes. */
    static final int CHUNK = 1 << 20;

    /** The largest message: a chunk with its names, or a run's settings. */
    static final int LARGEST_MESSAGE = 2 * CHUNK;

    static final String SERVICE = "fedlora.v1.Federation";

    static final MethodDescriptor<JoinRequest, JoinReply> JOIN =
            method(MethodType.UNARY, "Join", JoinRequest.getDefaultInstance(), JoinReply.getDefaultInstance());
    static final MethodDescriptor<TaskRequest, TaskMessage> NEXT_TASK = method(
            MethodType.SERVER_STREAMING,
            "NextTask",
            TaskRequest.getDefaultInstance(),
            TaskMessage.getDefaultInstance());
    static final MethodDescriptor<UpdateMessage, SubmitReply> SUBMIT = method(
            MethodType.CLIENT_STREAMING,
            "Submit",
            UpdateMessage.getDefaultInstance(),
            SubmitReply.getDefaultInstance());
    static final MethodDescriptor<ProgressReport, ProgressReply> PROGRESS = method(
            MethodType.UNARY, "Progress", ProgressReport.getDefaultInstance(), ProgressReply.getDefaultInstance());

    private Wire() {}

    private static <Q extends Message, R extends Message> MethodDescriptor<Q, R> method(
            MethodType type, String name, Q request, R reply) {
        return MethodDescriptor.<Q, R>newBuilder()
                .setType(type)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
                .setRequestMarshaller(ProtoUtils.marshaller(request))
                .setResponseMarshaller(ProtoUtils.marshaller(reply))
                .build();
    }
}
